"use strict";
// The form of phase charts: networks in the space of width, epoch and sample size, coloured by
// regime or measure; a heat map per sample size where there is no WebGL, or by choice.
(() => {
  const {
    INK,
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
  } = NeuralCharts.parts;
  const UNKNOWN = { label: "unknown", color: "#ffffff" };
  const HEIGHT = 0.9,
    DISTANCE = 1.75; // of the eye above the floor and from the middle

  const hasWebGL = () => {
    try {
      const canvas = document.createElement("canvas");
      return Boolean(canvas.getContext("webgl2") ?? canvas.getContext("webgl"));
    } catch {
      return false;
    }
  };
  const inOrder = (values) => [...new Set(values)].sort((a, b) => a - b);

  const phasesForm = ({ chart, form, plot, key, onPoint }) => {
    const { points, axes, regimes, measures } = chart;
    const webgl = hasWebGL(),
      sizes = inOrder(points.z),
      every = Array.from(points.x.keys());
    const state = {
      flat: !webgl,
      colours: "regime",
      size: sizes.at(-1),
      on: new Set(regimes.keys()),
      turn: 45,
    };
    let change = () => {};
    const regimeOf = (i) => regimes[points.regime[i]] ?? UNKNOWN;
    const shown = () =>
      every.filter(
        (i) =>
          (points.regime[i] < 0 || state.on.has(points.regime[i])) &&
          (!state.flat || points.z[i] === state.size),
      );

    const selectOf = (name, label, options, chosen, use) => {
      const control = choice(name, label),
        select = control.querySelector("select");
      fill(select, options, chosen);
      select.addEventListener("change", () => {
        use(select.value);
        change();
      });
      return control;
    };
    const colourOptions = [
      { value: "regime", label: "Regime" },
      ...measures.map(({ name, label }) => ({ value: name, label })),
    ];
    const colours = selectOf("colour", "Colour", colourOptions, "regime", (value) => {
      state.colours = value;
    });
    const sizeOptions = sizes.map((size) => ({ value: String(size), label: number(size) }));
    const size = selectOf("sample_size", "Sample size", sizeOptions, String(state.size), (value) => {
      state.size = Number(value);
    });
    const views = [
      ...(webgl ? [{ value: "space", label: "Three dimensions" }] : []),
      { value: "map", label: "Heat map" },
    ];
    const view = selectOf("view", "View", views, views[0].value, (value) => {
      state.flat = value === "map";
    });
    const turn = make("input", {
      type: "range",
      min: 0,
      max: 355,
      step: 5,
      value: state.turn,
      "data-control": "turn",
    });
    const turning = make("label", { class: "choice" }, make("span", {}, "Turn"), turn);
    turn.addEventListener("input", () => {
      state.turn = Number(turn.value);
      change();
    });
    const present = regimes.map((_, k) => k).filter((k) => points.regime.includes(k));
    const legend = make(
      "fieldset",
      { class: "chips" },
      make("legend", {}, "Regime"),
      ...present.map((k) =>
        check(
          regimes[k].label,
          {
            "data-dimension": "regime",
            "data-value": regimes[k].text,
            checked: true,
            title: regimes[k].meaning,
          },
          swatch(regimes[k], true),
        ),
      ),
    );
    legend.addEventListener("change", ({ target }) => {
      const place = regimes.findIndex(({ text }) => text === target.dataset.value);
      state.on[target.checked ? "add" : "delete"](place);
      change();
    });
    const pointAt = (i) => ({
      run: chart.runs[points.run[i]] ?? null,
      epoch: chart.epochs[points.epoch[i]] ?? null,
      seeds: chart.spans[points.span[i]] ?? null,
      x: number(points.x[i], 5),
      series: regimeOf(i).label,
    });
    const named = (i) =>
      `width ${number(points.x[i])}, epoch ${number(points.y[i])}, n ${number(points.z[i])}: ${regimeOf(i).label}`;
    const chooser =
      onPoint && picker(() => shown().map((i) => ({ label: named(i), point: pointAt(i) })), onPoint);
    form.append(
      make("div", { class: "choices" }, view, size, colours, turning),
      legend,
      ...(chooser ? [make("div", { class: "bottom" }, chooser.element)] : []),
    );

    const describe = (i) => {
      const rows = [`<b>${escape(regimeOf(i).label)}</b>`];
      ["x", "y", "z"].forEach((axis, k) =>
        rows.push(escape(`${axes[k].label}: ${number(points[axis][i], 5)}`)),
      );
      for (const { name, label } of measures) {
        const { mean, low, high, n } = points[name];
        const interval =
          low[i] === null ? "no interval" : `95% interval ${number(low[i])} to ${number(high[i])}`;
        rows.push(`${escape(label)}: <b>${number(mean[i])}</b> (mean)`, `${interval}, n = ${n[i] ?? 0}`);
      }
      return rows.join("<br>");
    };
    const measure = () => measures.find(({ name }) => name === state.colours);
    const limitsOf = ({ name }) => {
      const known = points[name].mean.filter((value) => value !== null);
      return name === "redundancy_ratio" ? [0, 1] : [Math.min(...known), Math.max(...known)];
    };
    const barOf = (label) => ({
      title: { text: escape(label), side: "right", font: { size: 11 } },
      thickness: 12,
      len: 0.8,
      outlinewidth: 0.6,
      tickfont: { size: 11 },
    });

    const place = (values) => {
      const zero = Math.min(...values) <= 0 ? zeroOf(values) : null;
      return { zero, at: (value) => (value === 0 ? zero : value) };
    };
    const spaceTraces = () => {
      const places = { x: place(points.x), y: place(points.y), z: place(points.z) };
      const cloud = (list, marker) => ({
        type: "scatter3d",
        mode: "markers",
        ...Object.fromEntries(
          ["x", "y", "z"].map((axis) => [axis, list.map((i) => places[axis].at(points[axis][i]))]),
        ),
        customdata: list,
        hoverinfo: "text",
        hovertext: list.map(describe),
        marker: { size: 7, opacity: 1, line: { color: "#3a3a3a", width: 1 }, ...marker },
      });
      const chosen = measure();
      if (chosen) {
        const list = shown(),
          [cmin, cmax] = limitsOf(chosen);
        return [
          cloud(list, {
            color: list.map((i) => points[chosen.name].mean[i]),
            colorscale: chosen.colors,
            cmin,
            cmax,
            showscale: true,
            colorbar: barOf(chosen.label),
          }),
        ];
      }
      const groups = [...regimes.keys(), -1].map((k) => shown().filter((i) => points.regime[i] === k));
      return groups
        .map((list, k) => cloud(list, { color: (regimes[k] ?? UNKNOWN).color }))
        .filter((trace) => trace.customdata.length);
    };
    const spaceAxis = (axis, k) => {
      const values = inOrder(points[axis]),
        known = positive(values),
        { zero } = place(values);
      const ticks =
        known.length <= 6
          ? {
              tickmode: "array",
              tickvals: zero === null ? known : [zero, ...known],
              ticktext: (zero === null ? known : [0, ...known]).map((value) => number(value)),
            }
          : logTicks(known[0], known.at(-1), zero);
      delete ticks.minor;
      const [low, high] = [zero ?? known[0], known.at(-1)].map(Math.log10),
        margin = 0.08 * (high - low) || 0.1;
      return {
        type: "log",
        range: [low - margin, high + margin],
        title: { text: escape(axes[k].label.split(" (")[0]), font: { size: 12 } },
        ...ticks,
        tickfont: { size: 10 },
        backgroundcolor: "#ffffff",
        gridcolor: "#d5d5d5",
        linecolor: INK,
        showbackground: true,
        showspikes: false,
      };
    };
    const spaceLayout = () => {
      const angle = (state.turn * Math.PI) / 180;
      const eye = { x: DISTANCE * Math.cos(angle), y: DISTANCE * Math.sin(angle), z: HEIGHT };
      const side = plot.clientWidth < 500 ? 1.25 : 1.35; // in an orthographic view, its size
      const scene = {
        xaxis: spaceAxis("x", 0),
        yaxis: spaceAxis("y", 1),
        zaxis: spaceAxis("z", 2),
        camera: { eye, center: { x: 0, y: 0, z: -0.06 }, projection: { type: "orthographic" } },
        aspectmode: "manual",
        aspectratio: { x: side, y: side, z: 0.78 * side },
        dragmode: "turntable",
        uirevision: String(state.turn),
      };
      return layoutOf({ scene, margin: { l: 0, r: 0, t: 0, b: 0 } });
    };

    // A cell for each network of one sample size; rows and columns are evenly spaced.
    const mapPicture = () => {
      const list = shown(),
        columns = inOrder(points.x),
        rows = inOrder(points.y);
      const xs = [...columns.keys()],
        ys = [...rows.keys()];
      const grid = (part, of) => {
        const cells = ys.map(() => xs.map(() => null));
        for (const i of part) cells[rows.indexOf(points.y[i])][columns.indexOf(points.x[i])] = of(i);
        return cells;
      };
      const chosen = measure();
      const layer = (part, more) => ({
        type: "heatmap",
        x: xs,
        y: ys,
        z: grid(part, more.value),
        xgap: 1,
        ygap: 1,
        customdata: grid(part, (i) => i),
        hoverinfo: "text",
        hovertext: grid(part, describe),
        hoverongaps: false,
        colorscale: more.colors,
        zmin: more.limits[0],
        zmax: more.limits[1],
        showscale: Boolean(more.label),
        colorbar: barOf(more.label ?? ""),
      });
      const plain = (color) => ({
        value: () => 0,
        colors: [
          [0, color],
          [1, color],
        ],
        limits: [0, 1],
      });
      const traces = chosen
        ? [
            layer(list, {
              value: (i) => points[chosen.name].mean[i],
              colors: chosen.colors,
              limits: limitsOf(chosen),
              label: chosen.label,
            }),
          ]
        : present
            .map((k) => [k, list.filter((i) => points.regime[i] === k)])
            .filter(([, part]) => part.length)
            .map(([k, part]) => layer(part, plain(regimes[k].color)));
      const letters = list.map((i) => ({
        text: escape(regimeOf(i).label[0].toUpperCase()),
        x: columns.indexOf(points.x[i]),
        y: rows.indexOf(points.y[i]),
        showarrow: false,
        font: { size: 11, color: INK },
        bgcolor: "rgba(255,255,255,0.75)",
        borderpad: 1,
      }));
      const axis = (k, names) => ({
        ...axisLook(axes[k].label),
        type: "linear",
        tickmode: "array",
        tickvals: [...names.keys()],
        ticktext: names.map((value) => number(value)),
        range: [-0.5, names.length - 0.5],
        showgrid: false,
      });
      return {
        traces,
        layout: layoutOf({
          xaxis: axis(0, columns),
          yaxis: axis(1, rows),
          annotations: letters,
          dragmode: false,
        }),
      };
    };

    const picture = () => {
      show(size, state.flat && sizes.length > 1);
      show(turning, !state.flat);
      show(view, views.length > 1);
      chooser?.reset();
      const meanings = present.map((k) => `${regimes[k].label}: ${regimes[k].meaning}`).join("; ");
      key.textContent = `${webgl ? "" : "Without WebGL the chart is flat. "}${meanings}.${state.flat ? "" : " Drag, or use Turn, to look from another side; 0 stands before the smallest value."}`;
      return state.flat ? mapPicture() : { traces: spaceTraces(), layout: spaceLayout() };
    };
    const pointOf = ({ customdata }) =>
      customdata === null || customdata === undefined ? null : pointAt(customdata);
    return {
      picture,
      pointOf,
      onChange: (render) => {
        change = render;
      },
    };
  };
  NeuralCharts.forms.phases = phasesForm;
})();
