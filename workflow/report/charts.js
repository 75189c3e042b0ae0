"use strict";
// Interactive charts: NeuralCharts.mount(root, chart, {Plotly, onPoint, label}) draws what the
// library's `interactive.figure` gives. Labels are data: they reach the page as text only.
globalThis.NeuralCharts = (() => {
  const CONFIG = {
    displaylogo: false,
    displayModeBar: "hover",
    doubleClick: "reset",
    responsive: true,
    scrollZoom: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"],
  };
  // A marker in a box of 10 x 10, for the legend.
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
    "|": "M5 .5v9",
  };

  const make = (name, attributes = {}, ...children) => {
    const svg = ["svg", "path", "line", "rect"].includes(name);
    const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  // ---- The legend ----
  const swatch = ({ mark, color, symbol, dash, filled }) => {
    const picture = make("svg", { class: "swatch", width: 28, height: 12, viewBox: "0 0 28 12", "aria-hidden": "true" });
    const rule = (x1, y1, x2, y2, more = {}) => make("line", { x1, y1, x2, y2, stroke: color, "stroke-width": 1.8, ...more });
    const area = (opacity) => make("rect", { x: 3, y: 1, width: 22, height: 10, fill: color, "fill-opacity": opacity });
    const path = PATHS[symbol];
    if (mark === "none") return "";
    if (mark === "band" || mark === "outer") picture.append(area(mark === "band" ? 0.4 : 0.2));
    else if (mark === "patch") picture.append(area(1), ...(dash.includes(",") ? [make("path", { d: "M6 11l6-10m2 10l6-10", stroke: "#ffffff", "stroke-width": 1.6 })] : []));
    else if (mark === "upright" || mark === "bar") picture.append(rule(14, 0, 14, 12));
    else {
      if (dash && ["line", "guide"].includes(mark))
        picture.append(rule(1, 6, 27, 6, dash === "solid" ? {} : { "stroke-dasharray": dash.replaceAll("px", "") }));
      const open = mark === "open" || !filled || ["x", "|"].includes(symbol);
      const ink = mark === "ring" ? { fill: color, stroke: "#000000", "stroke-width": 1.4 }
        : open ? { fill: symbol === "x" ? "none" : "#ffffff", stroke: color, "stroke-width": 1.5 } : { fill: color };
      if (path && mark !== "guide") picture.append(make("path", { d: path, transform: "translate(9 1)", ...ink }));
    }
    return picture;
  };
  const entryOf = (entry, toggles) => {
    const shown = [swatch(entry), make("span", {}, entry.label)];
    if (!toggles) return make("span", { class: "chip only" }, ...shown);
    return make("label", { class: "chip" }, make("input", { type: "checkbox", checked: "", "data-entry": entry.label }), ...shown);
  };

  // ---- Points ----
  const pointOf = (chart, trace, told) => {
    const { points } = chart, place = told?.[0] ?? -1;
    if (place < 0) return null;
    const singles = points.values?.map((column, s) => [points.seeds[s], column[place]]) ?? [];
    return {
      run: points.runs[points.run[place]],
      epoch: points.epochs[points.epoch[place]],
      seeds: [points.first[place], points.last[place]],
      singles: singles.filter(([, value]) => value !== null),
      told: `${trace.name}, ${trace.meta.x}: ${told[1]}`,
    };
  };
  // Whoever cannot click on a point chooses it here; the list is filled when it is wanted.
  const picker = (listOf, onPoint) => {
    const select = make("select", { "data-control": "point" });
    const open = make("button", { type: "button", "data-control": "open-point" }, "Show run");
    let listed = null;
    const reset = () => {
      listed = null;
      open.disabled = true;
      select.replaceChildren(make("option", { value: "" }, "choose a point"));
    };
    const fill = () => {
      if (listed) return;
      listed = listOf();
      select.append(...listed.map(({ label }, place) => make("option", { value: place }, label)));
    };
    for (const event of ["focus", "pointerenter", "pointerdown"]) select.addEventListener(event, fill);
    select.addEventListener("change", () => { open.disabled = select.value === ""; });
    open.addEventListener("click", () => onPoint(listed[Number(select.value)].point));
    reset();
    const label = make("label", { class: "choice" }, make("span", {}, "Point"), select);
    return { element: make("div", { class: "picker" }, label, open), reset };
  };
  // The single seeds of a curve, one thin line after the other.
  const singlesOf = ({ values, seeds }, trace) => {
    const x = [], y = [], hovertext = [];
    values.forEach((column, s) => {
      trace.customdata.forEach((told, i) => {
        const value = told && told[0] >= 0 ? column[told[0]] : null;
        x.push(trace.x[i]);
        y.push(value === null ? null : trace.meta.mirrored ? 1 - value : value);
        hovertext.push(value === null ? "" : `seed ${seeds[s]}: ${Number(y.at(-1).toPrecision(4))}`);
      });
      for (const list of [x, y, hovertext]) list.push(null);
    });
    const line = { ...trace.line, width: 0.7 }, marker = { ...trace.marker, size: 3, line: { width: 0 } };
    return { ...trace, x, y, hovertext, hoverinfo: "text", hovertemplate: null, customdata: null, error_y: null, line, marker, opacity: 0.5, meta: { ...trace.meta, role: "seeds" } };
  };

  // Ticks of our own are those of the whole axis; whoever looks closer needs others.
  const retick = (Plotly, plot, event) => {
    const changes = {};
    for (const name of ["xaxis", "yaxis"]) {
      if (!plot.layout[name].tickvals || !Object.keys(event).some((key) => key.startsWith(`${name}.`))) continue;
      const mode = event[`${name}.range[0]`] === undefined ? "array" : "auto";
      if (plot.layout[name].tickmode !== mode) changes[`${name}.tickmode`] = mode;
    }
    if (Object.keys(changes).length) Plotly.relayout(plot, changes);
  };

  // ---- Mounting ----
  /** Draw a chart and its controls into an empty element. */
  const mount = (root, chart, { Plotly, onPoint, label = "" }) => {
    const off = new Set();
    let singles = false;
    const panels = chart.rows.flatMap((row) => row.panels);
    const traces = panels.flatMap((panel) => panel.data);
    const known = new Set(traces.flatMap((trace) => trace.meta.entries));
    const shown = (trace) => !trace.meta.entries.some((entry) => off.has(entry));
    const form = make("form", { class: "controls" });
    for (const { title, entries } of chart.legends) {
      const chips = make("fieldset", { class: "chips" }, ...(title ? [make("legend", {}, title)] : []));
      chips.append(...entries.map((entry) => entryOf(entry, known.has(entry.label))));
      form.append(chips);
    }
    const bottom = make("div", { class: "bottom" });
    const several = chart.points.values && chart.points.seeds.length > 1;
    if (several && traces.some((trace) => trace.meta.singles)) {
      const box = make("input", { type: "checkbox", "data-control": "seeds" });
      box.addEventListener("change", () => { singles = box.checked; draw(); });
      bottom.append(make("label", { class: "toggle" }, box, make("span", {}, "single seeds")));
    }
    const list = () => panels.flatMap(({ title, data }) => data.filter((trace) => trace.customdata && shown(trace)).flatMap((trace) => {
      const all = trace.type === "heatmap" ? trace.customdata.flat() : trace.customdata;
      const first = all.filter((told, k) => told && told[0] >= 0 && told !== all[k - 1] && told[0] !== all[k - 1]?.[0]);
      return first.map((told) => ({ point: pointOf(chart, trace, told), label: `${title ? `${title}: ` : ""}${trace.name}, ${told[1]}` }));
    }));
    const choice = chart.points.run.length ? picker(list, onPoint) : null;
    if (choice) bottom.append(choice.element);
    if (bottom.children.length) form.append(bottom);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", ({ target }) => {
      if (!target.dataset.entry) return;
      off[target.checked ? "delete" : "add"](target.dataset.entry);
      choice?.reset();
      draw();
    });
    const plots = panels.map(() => make("div", { class: "plot" }));
    const left = [...plots];
    const rows = chart.rows.map(({ columns, panels: { length } }) => make("div", { class: "row", style: `--columns: ${columns}` }, ...left.splice(0, length)));
    root.replaceChildren(form, make("div", { class: "panels", role: "figure", "aria-label": label }, ...rows));
    const coarse = matchMedia("(pointer: coarse)").matches;
    const draw = () => Promise.all(panels.map(({ data, layout }, k) => {
      const visible = data.filter(shown);
      const extra = singles ? visible.filter((trace) => trace.meta.singles).map((trace) => singlesOf(chart.points, trace)) : [];
      const yaxis = { ...layout.yaxis, ...(singles ? { autorange: true } : {}) };
      const own = { ...layout, yaxis, dragmode: coarse ? false : "zoom", uirevision: singles };
      return Plotly.react(plots[k], [...extra, ...visible], own, CONFIG);
    }));
    draw().then(() => {
      for (const plot of plots) {
        plot.on("plotly_click", ({ points: [{ data, customdata }] }) => {
          const point = pointOf(chart, data, customdata);
          if (point) onPoint(point);
        });
        plot.on("plotly_relayout", (event) => retick(Plotly, plot, event));
      }
      root.dataset.drawn = "true";
    });
  };

  return { make, mount };
})();
