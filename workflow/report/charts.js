"use strict";
// Interactive charts: NeuralCharts.mount(root, chart, {Plotly, onPoint, label}) draws what the
// library's `explorer.chart` describes. Labels are data: they reach the page as text only.
globalThis.NeuralCharts = (() => {
  const FONT = '"DejaVu Sans", Verdana, Geneva, sans-serif';
  const INK = "#1a1a1a",
    NEUTRAL = "#4d4d4d",
    GRID = "#e0e0e0";
  const SYMBOLS = {
    o: "circle",
    s: "square",
    "^": "triangle-up",
    v: "triangle-down",
    "<": "triangle-left",
    ">": "triangle-right",
    D: "diamond",
    P: "cross",
    X: "x",
    x: "x-thin",
    "*": "star",
  };
  const DASHES = { "-": "solid", "--": "6px,3px", ":": "1.5px,2.5px", "-.": "7px,2.5px,1.5px,2.5px" };
  // A marker in a box of 10 x 10, for the swatches.
  const PATHS = {
    o: "M1.5 5a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",
    s: "M2 2h6v6h-6z",
    D: "M5 .8l4.2 4.2-4.2 4.2-4.2-4.2z",
    "^": "M5 1l4.2 7.6h-8.4z",
    v: "M5 9l4.2-7.6h-8.4z",
    "<": "M1 5l7.6-4.2v8.4z",
    ">": "M9 5l-7.6-4.2v8.4z",
    P: "M3.5 1h3v2.5h2.5v3h-2.5v2.5h-3v-2.5h-2.5v-3h2.5z",
    X: "M2.6 1l2.4 2.4 2.4-2.4 1.6 1.6-2.4 2.4 2.4 2.4-1.6 1.6-2.4-2.4-2.4 2.4-1.6-1.6 2.4-2.4-2.4-2.4z",
    x: "M1.5 1.5l7 7m0-7l-7 7",
    "*": "M5 .6l1.2 3.1 3.3.2-2.6 2.1.9 3.2-2.8-1.8-2.8 1.8.9-3.2-2.6-2.1 3.3-.2z",
  };

  // ---- Elements and text ----
  const make = (tag, properties = {}, ...children) => {
    const svg = ["svg", "path", "line", "rect"].includes(tag);
    const element = svg
      ? document.createElementNS("http://www.w3.org/2000/svg", tag)
      : document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (value === null || value === undefined || value === false) continue;
      element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children);
    return element;
  };
  // Plotly reads a little markup in labels; data must stay what it says.
  const escape = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const number = (value, digits = 4) => {
    if (value === null || value === undefined) return "unknown";
    const short = Number(value.toPrecision(digits));
    const size = Math.abs(short);
    const plain = (size >= 1e-4 && size < 1e9) || size === 0 ? String(short) : short.toExponential();
    const [whole, rest] = plain.split(".");
    const grouped = /^-?\d{4,}$/.test(whole) ? whole.replace(/\B(?=(\d{3})+$)/g, "\u2009") : whole;
    return (rest === undefined ? grouped : `${grouped}.${rest}`).replace("-", "\u2212");
  };
  const swatch = (look, filled = false) => {
    const picture = make("svg", {
      class: "swatch",
      width: 28,
      height: 12,
      viewBox: "0 0 28 12",
      "aria-hidden": "true",
    });
    if (filled)
      picture.append(
        make("rect", {
          x: 3,
          y: 1,
          width: 22,
          height: 10,
          fill: look.color,
          stroke: INK,
          "stroke-width": 0.5,
        }),
        ...(look.hatched
          ? [make("path", { d: "M6 11l6-10m2 10l6-10", stroke: "#ffffff", "stroke-width": 1.6 })]
          : []),
      );
    else {
      const dash = DASHES[look.dash];
      const pattern = dash && dash !== "solid" ? dash.replaceAll("px", "") : null;
      if (dash)
        picture.append(
          make("line", {
            x1: 1,
            y1: 6,
            x2: 27,
            y2: 6,
            stroke: look.color,
            "stroke-width": 1.8,
            "stroke-dasharray": pattern,
          }),
        );
      const path = PATHS[look.symbol];
      const thin = look.symbol === "x";
      if (path)
        picture.append(
          make("path", {
            d: path,
            transform: "translate(9 1)",
            fill: thin ? "none" : look.color,
            stroke: thin ? look.color : "none",
            "stroke-width": 1.6,
          }),
        );
    }
    return picture;
  };
  const check = (text, attributes, picture) =>
    make(
      "label",
      { class: picture ? "chip" : "toggle" },
      make("input", { type: "checkbox", ...attributes }),
      ...(picture ? [picture] : []),
      make("span", {}, text),
    );
  const fill = (select, options, chosen) => {
    const groups = new Map();
    for (const { value, label, group } of options) {
      const option = make("option", { value }, label);
      if (value === chosen) option.setAttribute("selected", "");
      if (!groups.has(group ?? "")) groups.set(group ?? "", []);
      groups.get(group ?? "").push(option);
    }
    const parts = [...groups].flatMap(([group, list]) =>
      group ? [make("optgroup", { label: group }, ...list)] : list,
    );
    select.replaceChildren(...parts);
    select.value = chosen;
  };
  const choice = (dimension, label) =>
    make(
      "label",
      { class: "choice" },
      make("span", {}, label),
      make("select", { "data-control": "choice", "data-dimension": dimension }),
    );

  // A control that means nothing now leaves the page, so that nobody tabs to it.
  const holders = new WeakMap();
  const show = (element, yes) => {
    if (!holders.has(element)) holders.set(element, document.createComment(""));
    const holder = holders.get(element);
    if (yes && holder.parentNode) holder.replaceWith(element);
    if (!yes && element.parentNode) element.replaceWith(holder);
  };

  // Whoever cannot click on a point chooses it here; the list is filled when it is wanted.
  const picker = (points, onPoint) => {
    const select = make("select", { "data-control": "point" });
    const open = make("button", { type: "button", "data-control": "open-point", disabled: true }, "Show run");
    let listed = null;
    const reset = () => {
      listed = null;
      open.disabled = true;
      fill(select, [{ value: "", label: "choose a point" }], "");
    };
    const list = () => {
      if (listed) return;
      listed = points();
      fill(
        select,
        [
          { value: "", label: "choose a point" },
          ...listed.map((each, place) => ({ value: String(place), label: each.label })),
        ],
        "",
      );
    };
    for (const event of ["focus", "pointerenter", "pointerdown"]) select.addEventListener(event, list);
    select.addEventListener("change", () => {
      open.disabled = select.value === "";
    });
    open.addEventListener("click", () => onPoint(listed[Number(select.value)].point));
    reset();
    return {
      element: make(
        "div",
        { class: "picker" },
        make("label", { class: "choice" }, make("span", {}, "Point"), select),
        open,
      ),
      reset,
    };
  };

  // ---- Axes ----
  const positive = (values) =>
    values.filter((value) => value !== null && Number.isFinite(value) && value > 0);
  // Where 0 stands on a logarithmic axis: left of all others, as in the figures.
  const zeroOf = (values) => {
    const known = positive(values);
    const low = Math.min(...known),
      high = Math.max(...known);
    return low / 10 ** Math.max(0.3, 0.14 * Math.log10(high / low));
  };
  const power = (value) => {
    const [mantissa, exponent] = value.toExponential(0).split("e");
    const text = `10<sup>${Number(exponent)}</sup>`.replace("-", "\u2212");
    return mantissa === "1" ? text : `${mantissa}\u00b7${text}`;
  };
  const logTicks = (low, high, zero) => {
    const first = Math.floor(Math.log10(low)),
      last = Math.floor(Math.log10(high) + 1e-9);
    const exponents = Array.from({ length: last - first + 1 }, (_, k) => first + k);
    const inside = (value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9);
    const of = (steps) =>
      exponents.flatMap((k) => steps.map((step) => Number(`${step}e${k}`))).filter(inside);
    const span = high / low;
    let ticks = of(span < 50 ? [1, 2, 5] : span < 300 ? [1, 3] : [1]);
    if (ticks.length < 2) ticks = of([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    if (ticks.length > 8) ticks = ticks.filter((_, place) => place % 2 === 0);
    const powers = Math.max(...ticks) >= 1e4 || Math.min(...ticks) < 1e-3;
    const labels = ticks.map((tick) => (powers ? power(tick) : number(tick)));
    const minor = {
      ticks: "outside",
      ticklen: 3,
      tickwidth: 0.6,
      tickmode: "array",
      tickvals: of([1, 2, 3, 4, 5, 6, 7, 8, 9]),
    };
    const places = zero === null ? ticks : [zero, ...ticks];
    return {
      tickmode: "array",
      tickvals: places,
      ticktext: zero === null ? labels : ["0", ...labels],
      minor,
    };
  };
  const axisLook = (title) => ({
    title: { text: escape(title), standoff: 8, font: { size: 12 } },
    automargin: true,
    showline: true,
    linecolor: INK,
    linewidth: 1,
    ticks: "outside",
    ticklen: 4,
    tickcolor: INK,
    tickwidth: 1,
    zeroline: false,
    gridcolor: GRID,
    gridwidth: 1,
    exponentformat: "power",
    minexponent: 5,
    nticks: 7,
    tickfont: { size: 11 },
  });
  const layoutOf = (more) => ({
    font: { family: FONT, size: 12, color: INK },
    paper_bgcolor: "#ffffff",
    plot_bgcolor: "#ffffff",
    showlegend: false,
    hovermode: "closest",
    margin: { l: 56, r: 14, t: 12, b: 48 },
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    hoverlabel: { bgcolor: "#ffffff", font: { family: FONT, size: 12, color: INK }, align: "left" },
    ...more,
  });
  const CONFIG = {
    displaylogo: false,
    showSendToCloud: false,
    showEditInChartStudio: false,
    displayModeBar: "hover",
    doubleClick: "reset",
    scrollZoom: false,
    modeBarButtonsToRemove: [
      "select2d",
      "lasso2d",
      "zoomIn2d",
      "zoomOut2d",
      "autoScale2d",
      "toggleSpikelines",
      "hoverClosestCartesian",
      "hoverCompareCartesian",
      "resetCameraLastSave3d",
      "tableRotation",
    ],
  };

  // ---- Mounting ----
  // Forms add themselves: name -> function of {chart, form, plot, key, onPoint}, which returns
  // picture() -> {traces, layout}, pointOf(plotly point) and onChange(render).
  const forms = {};
  /** Draw a chart and its controls into an empty element; returns {destroy, toPNG}. */
  const mount = (root, chart, { Plotly, onPoint = null, label = "" }) => {
    const form = make("form", { class: "controls" });
    const plot = make("div", { class: "plot", role: "figure", "aria-label": label });
    const key = make("p", { class: "key" });
    form.addEventListener("submit", (event) => event.preventDefault());
    root.replaceChildren(form, plot, key);
    const draw = (forms[chart.form] ?? forms.lines)({ chart, form, plot, key, onPoint });
    const render = () => {
      const { traces, layout, config } = draw.picture();
      return Plotly.react(plot, traces, layout, { ...CONFIG, ...config });
    };
    draw.onChange(render);
    const started = Promise.resolve(render()).then(() => {
      plot.on("plotly_click", (event) => {
        const point = draw.pointOf(event.points[0]);
        if (point?.run && onPoint) onPoint(point);
      });
      plot.on("plotly_relayout", (event) => retick(Plotly, plot, event));
      root.dataset.drawn = "true";
    });
    let width = root.clientWidth;
    const observer = new ResizeObserver(() => {
      if (root.clientWidth === width || !root.isConnected) return;
      width = root.clientWidth;
      started.then(render);
    });
    observer.observe(root);
    return {
      destroy: () => {
        observer.disconnect();
        Plotly.purge(plot);
        root.replaceChildren();
        delete root.dataset.drawn;
      },
      toPNG: () => Plotly.toImage(plot, { format: "png", scale: 2 }),
    };
  };
  // Own ticks are those of the whole axis; whoever looks closer needs others.
  const retick = (Plotly, plot, event) => {
    const changes = {};
    for (const name of ["xaxis", "yaxis"]) {
      const axis = plot.layout[name],
        start = event[`${name}.range[0]`];
      if (start === undefined || !axis?.tickvals || axis.type === "category") continue;
      const whole = Math.abs(start - axis.whole?.[0]) < 1e-9;
      const mode = whole ? "array" : "auto";
      if (axis.tickmode !== mode) changes[`${name}.tickmode`] = mode;
    }
    if (Object.keys(changes).length) Plotly.relayout(plot, changes);
  };

  return {
    mount,
    forms,
    parts: {
      DASHES,
      INK,
      NEUTRAL,
      SYMBOLS,
      axisLook,
      check,
      choice,
      escape,
      fill,
      layoutOf,
      logTicks,
      make,
      number,
      picker,
      positive,
      show,
      swatch,
      zeroOf,
    },
  };
})();
