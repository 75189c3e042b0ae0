"use strict";
// From the points of lines to what plotly draws: bands, markers, hover texts and axes.
(() => {
  const { DASHES, NEUTRAL, SYMBOLS, axisLook, escape, layoutOf, logTicks, number, positive, zeroOf, nameOf } =
    NeuralCharts.parts;

  const BAND = 0.18; // opacity, as in the figures
  const CLOSEST = 18; // pixels between two markers, else they hide their line

  // ---- Traces ----
  const alpha = (color, opacity) => {
    const parts = [1, 3, 5].map((start) => parseInt(color.slice(start, start + 2), 16));
    return `rgba(${parts.join()},${opacity})`;
  };
  const markerOf = (look, size, open = false) => {
    const name = SYMBOLS[look.symbol] ?? "circle";
    const symbol = open ? (name === "x-thin" ? "circle-open" : `${name}-open`) : name;
    return {
      symbol,
      size,
      color: look.color,
      line: { color: look.color, width: open ? 1.3 : name === "x-thin" ? 1.5 : 0 },
    };
  };
  // Stretches of neighbours that have both ends, as closed shapes.
  const shapeOf = (xs, lows, highs) => {
    const x = [],
      y = [];
    let start = 0;
    for (let i = 0; i <= xs.length; i += 1) {
      if (i < xs.length && lows[i] !== null && highs[i] !== null) continue;
      if (i - start > 1) {
        const part = Array.from({ length: i - start }, (_, k) => start + k),
          back = [...part].reverse();
        if (x.length) {
          x.push(null);
          y.push(null);
        }
        x.push(...part.map((k) => xs[k]), ...back.map((k) => xs[k]), xs[start]);
        y.push(...part.map((k) => highs[k]), ...back.map((k) => lows[k]), highs[start]);
      }
      start = i + 1;
    }
    return { x, y };
  };
  const bandTrace = (xs, lows, highs, color, opacity) => {
    const shape = shapeOf(xs, lows, highs);
    return {
      type: "scatter",
      mode: "lines",
      ...shape,
      fill: "toself",
      fillcolor: alpha(color, opacity),
      line: { width: 0 },
      hoverinfo: "skip",
    };
  };

  const textOfX = (axis, x) => (axis.labels ? axis.labels[x] : number(x, 5));
  const describePoint = (chart, shown, line, i, printed) => {
    const { mean, low, high, n, bands } = chart.points;
    const fixed = shown.values
      .filter((value) => value && value.y === undefined)
      .map((value) => nameOf(shown.owners.get(value), value));
    const rows = [
      `<b>${escape(line.label || shown.y.label)}</b>`,
      escape(`${shown.axis.label}: ${textOfX(shown.axis, chart.points.x[i])}`),
    ];
    if (fixed.length) rows.splice(1, 0, escape(fixed.join(", ")));
    const interval = low[i] === null ? "no interval" : `95% interval ${number(low[i])} to ${number(high[i])}`;
    rows.push(
      `${escape(shown.y.label)}: <b>${number(mean[i])}</b>${n[i] > 1 ? " (mean)" : ""}`,
      n[i] > 1 ? `${interval}, n = ${n[i]}` : `one seed (n = ${n[i]}): no mean, no interval`,
    );
    chart.bands.forEach((name, b) => {
      if (bands[b][0][i] !== null)
        rows.push(
          escape(
            `${name}: ${number(bands[b][0][i])} to ${bands[b][1][i] === chart.top ? "no border" : number(bands[b][1][i])}`,
          ),
        );
    });
    if (printed !== undefined) rows.push(textOfPrinted(chart, printed));
    return rows.join("<br>");
  };
  const textOfPrinted = (chart, j) => {
    const error = chart.published.error[j];
    return `published: <b>${number(chart.published.value[j])}</b>${error === null ? "" : ` \u00b1 ${number(error, 2)} (${escape(chart.labels.error)})`}`;
  };
  // The published value beside each of our points: same x, same line, same choices.
  const printedAt = (chart, shown) => {
    const found = new Map();
    for (const i of shown.points) {
      const j = shown.printed.find(
        (each) =>
          chart.published.x[each] === chart.points.x[i] &&
          chart.published.at.every(
            (column, d) => column[each] === -1 || column[each] === chart.points.at[d][i],
          ),
      );
      if (j !== undefined) found.set(i, j);
    }
    return found;
  };

  const tracesOf = ({ chart, shown, state, lines, plot, describe }) => {
    const { points, seeds, published } = chart;
    shown.zeroX = shown.logX && Math.min(...shown.axis.levels) <= 0 ? zeroOf(shown.axis.levels) : null;
    const visible = shown.points.flatMap((i) => [
      points.mean[i],
      ...(state.seeds && seeds.values ? seeds.values.map((column) => column[i]) : []),
    ]);
    shown.zeroY = shown.logY && visible.some((value) => value === 0) ? zeroOf(visible) : null;
    const category = shown.axis.scale === "category";
    const step = Math.min(0.7 / lines.length, 0.16);
    const offsets = new Map(
      lines.map((line, k) => [line.key, category ? (k - (lines.length - 1) / 2) * step : 0]),
    );
    const placeX = (value, line) =>
      shown.zeroX !== null && value === 0 ? shown.zeroX : value + (line ? offsets.get(line.key) : 0);
    const placeY = (value) =>
      value === null || !shown.logY || value > 0
        ? value
        : value === 0 && shown.zeroY !== null
          ? shown.zeroY
          : null;
    const joined = !category && chart.form !== "scatter";
    const back = [],
      middle = [],
      front = [];
    lines.forEach((line, k) => {
      const xs = line.index.map((i) => placeX(points.x[i], line)),
        ys = line.index.map((i) => placeY(points.mean[i]));
      const of = (column) => line.index.map((i) => column[i]);
      const floor = shown.zeroY ?? Math.min(...positive(visible)) / 2;
      const clipped = (column) =>
        of(column).map((value) => (value !== null && shown.logY && value <= 0 ? floor : value));
      const bars = {
        type: "data",
        symmetric: false,
        visible: true,
        width: 0,
        thickness: 1.3,
        color: line.look.color,
      };
      const own = chart.interval ? [clipped(points.low), clipped(points.high)] : null;
      for (const [low, high] of bandsOf(chart, lines.length))
        back.push(bandTrace(xs, clipped(low), clipped(high), line.look.color, chart.interval ? 0.1 : BAND));
      const drawsBars = own && (chart.form === "points" || !joined || line.index.length === 1);
      if (own && chart.form === "lines" && joined) back.push(bandTrace(xs, ...own, line.look.color, BAND));
      if (state.seeds && seeds.values)
        middle.push(seedTrace({ chart, line, k, xs, placeY, joined: joined && chart.form === "lines" }));
      const mode = !joined
        ? "markers"
        : roomFor(xs, shown, plot) || line.index.length === 1
          ? "lines+markers"
          : "lines";
      const trace = {
        type: "scatter",
        mode,
        x: xs,
        y: ys,
        name: "",
        customdata: line.index.map((i) => [i, k]),
        hoverinfo: "text",
        hovertext: line.index.map((i) => describe(i, line)),
        line: {
          color: line.look.color,
          width: chart.form === "points" ? 1 : 1.7,
          dash: DASHES[line.look.dash] ?? "solid",
          ...(chart.form === "steps" ? { shape: "hvh" } : {}),
        },
        marker: markerFor(chart, shown, line),
        hoverlabel: { bordercolor: line.look.color },
      };
      if (chart.form === "steps")
        Object.assign(trace, { mode: "lines", fill: "tozeroy", fillcolor: alpha(line.look.color, 0.4) });
      if (drawsBars)
        trace.error_y = {
          ...bars,
          array: own[1].map((high, p) => (high === null ? 0 : high - ys[p])),
          arrayminus: own[0].map((low, p) => (low === null ? 0 : ys[p] - low)),
        };
      front.push(trace);
      const printed = state.published ? shown.printed.filter((j) => printedFor(chart, j, line)) : [];
      // A value for all variants is drawn once, with the first of them.
      const first = printed.filter((j) => !front.some((each) => each.printed?.includes(j)));
      if (first.length)
        front.push({
          type: "scatter",
          mode: "markers",
          x: first.map((j) => placeX(published.x[j], line)),
          y: first.map((j) => placeY(published.value[j])),
          printed: first,
          customdata: first.map((j) => [
            [...line.index].find((i) => points.x[i] === published.x[j]) ?? -1,
            k,
          ]),
          marker: { ...markerOf(line.look, 10, true), color: line.look.color },
          error_y: {
            type: "data",
            array: first.map((j) => published.error[j] ?? 0),
            visible: true,
            width: 0,
            thickness: 1.1,
            color: line.look.color,
          },
          hoverinfo: "text",
          hovertext: first.map(
            (j) =>
              `<b>${escape(line.label)}</b><br>${escape(`${shown.axis.label}: ${textOfX(shown.axis, published.x[j])}`)}<br>${textOfPrinted(chart, j)}`,
          ),
          hoverlabel: { bordercolor: line.look.color },
        });
    });
    const curves = shown.guides
      .filter((each) => each.x)
      .map((each) => ({
        type: "scatter",
        mode: "lines",
        x: each.x.map((x) => placeX(x)),
        y: each.y,
        line: { color: each.color, width: 1.4, dash: DASHES[each.dash] },
        hoverinfo: "skip",
      }));
    return [...back, ...curves, ...middle, ...front];
  };
  // Several lines with wide bands would hide each other: the narrowest band of each is enough.
  const bandsOf = (chart, lines) =>
    lines > 1 && !chart.interval ? (chart.points.bands ?? []).slice(-1) : (chart.points.bands ?? []);
  const printedFor = (chart, j, line) => {
    const i = line.index[0];
    return chart.published.at.every((column, d) => column[j] === -1 || column[j] === chart.points.at[d][i]);
  };
  const markerFor = (chart, shown, line) => {
    const marker = markerOf(line.look, chart.form === "scatter" ? 8 : 6.5);
    if (chart.form === "scatter") return { ...marker, line: { color: "#ffffff", width: 0.5 } };
    if (shown.axis.scale === "category" && line.look.dash && line.look.dash !== "-")
      return markerOf(line.look, 7.5, true);
    if (shown.axis.ringed === null) return marker;
    const ringed = line.index.map((i) => chart.points.x[i] === shown.axis.ringed);
    return {
      ...marker,
      size: ringed.map((yes) => (yes ? 9 : 6.5)),
      line: { color: "#000000", width: ringed.map((yes) => (yes ? 1.4 : 0)) },
    };
  };
  const seedTrace = ({ chart, line, k, xs, placeY, joined }) => {
    const x = [],
      y = [],
      customdata = [],
      hovertext = [];
    chart.seeds.values.forEach((column, s) => {
      line.index.forEach((i, p) => {
        x.push(xs[p]);
        y.push(placeY(column[i]));
        customdata.push([i, k, chart.seeds.numbers[s]]);
        hovertext.push(
          `<b>${escape(line.label)}</b><br>seed ${chart.seeds.numbers[s]}: <b>${number(column[i])}</b><br>of n = ${chart.points.n[i]}, mean ${number(chart.points.mean[i])}`,
        );
      });
      x.push(null);
      y.push(null);
      customdata.push(null);
      hovertext.push("");
    });
    return {
      type: "scatter",
      mode: joined ? "lines" : "markers",
      x,
      y,
      customdata,
      hovertext,
      hoverinfo: "text",
      opacity: 0.5,
      connectgaps: false,
      line: { color: line.look.color, width: 0.7, dash: DASHES[line.look.dash] ?? "solid" },
      marker: { ...markerOf(line.look, 3.5), symbol: "circle" },
      hoverlabel: { bordercolor: line.look.color },
    };
  };
  const roomFor = (xs, shown, plot) => {
    const places = [...new Set(xs)].map((x) => (shown.logX ? Math.log10(x) : x)).sort((a, b) => a - b);
    const gaps = places.slice(1).map((place, k) => place - places[k]);
    const whole = rangeX(shown);
    return (
      gaps.length === 0 ||
      (Math.min(...gaps) / (whole[1] - whole[0])) * Math.max(200, plot.clientWidth - 80) >= CLOSEST
    );
  };
  const rangeX = (shown) => {
    const { levels, scale } = shown.axis;
    if (scale === "category") return [-0.5, levels.length - 0.5];
    const known = shown.ends ?? [Math.min(...levels), Math.max(...levels)];
    const [low, high] = shown.logX
      ? [Math.log10(known[0] > 0 ? known[0] : shown.zeroX), Math.log10(known[1])]
      : known;
    const margin = (high - low) * 0.035 || 0.5;
    return [low - margin, high + margin];
  };
  const rangeY = (chart, shown, state, lines) => {
    const { points, published, seeds } = chart,
      values = [],
      ends = [];
    for (const i of shown.points) {
      values.push(points.mean[i]);
      if (chart.interval) ends.push(points.low[i], points.high[i]);
      for (const band of bandsOf(chart, lines)) ends.push(band[0][i], band[1][i]);
      if (state.seeds && seeds.values) values.push(...seeds.values.map((column) => column[i]));
    }
    if (state.published)
      for (const j of shown.printed)
        values.push(
          published.value[j] - (published.error[j] ?? 0),
          published.value[j] + (published.error[j] ?? 0),
        );
    const heights = shown.guides.filter((each) => shown.ends === null || each.x).flatMap((each) => each.y);
    const finite = (list) => list.filter((value) => value !== null && Number.isFinite(value));
    if (shown.logY) {
      const known = positive([...values, ...heights]),
        low = Math.min(...known),
        high = Math.max(...known);
      const near = finite(ends).filter(
        (value) => value > (chart.interval ? low / 2 : 0) && (!chart.interval || value < high * 2),
      );
      const bottom = shown.zeroY ?? Math.min(low, ...near),
        top = Math.max(high, ...near);
      const margin = Math.max(0.05 * Math.log10(top / bottom), 0.04);
      return [Math.log10(bottom) - margin, Math.log10(top) + margin];
    }
    const known = finite([...values, ...ends, ...heights]);
    if (!known.length) return [0, 1];
    const [first, last] = state.ends === 0 ? shown.y.limits : [null, null];
    let low = Math.min(...known),
      high = Math.max(...known);
    // An all but constant line near an unperturbed network is no cliff.
    if (shown.ends && high - low < 0.04) [low, high] = [(low + high) / 2 - 0.02, (low + high) / 2 + 0.02];
    const margin = 0.06 * (high - low) || Math.abs(high) * 0.05 || 0.05;
    const means = finite(values),
      fraction = Math.min(...means) >= 0 && Math.max(...means) <= 1;
    const bottom = chart.form === "steps" ? 0 : fraction ? Math.max(low - margin, -0.05) : low - margin;
    return [
      first ?? bottom,
      last ?? (fraction ? Math.min(high + margin, Math.max(1.05, Math.min(high, 1.05))) : high + margin),
    ];
  };
  const linesLayout = (chart, shown, state, plot, lines) => {
    const x = {
      ...axisLook(shown.axis.label),
      range: rangeX(shown),
      type: shown.logX ? "log" : "linear",
      showgrid: false,
    };
    const y = {
      ...axisLook(shown.y.label),
      range: rangeY(chart, shown, state, lines),
      type: shown.logY ? "log" : "linear",
    };
    const { levels, labels } = shown.axis,
      annotations = [],
      shapes = [];
    if (labels) Object.assign(x, { tickmode: "array", tickvals: levels, ticktext: labels.map(escape) });
    else if (shown.logX && shown.zeroX === null && levels.length <= 8 && levels.at(-1) / levels[0] < 10)
      Object.assign(x, {
        tickmode: "array",
        tickvals: levels,
        ticktext: levels.map((level) => number(level)),
      });
    else if (shown.logX)
      Object.assign(
        x,
        logTicks(...(shown.ends ?? [Math.min(...positive(levels)), Math.max(...levels)]), shown.zeroX),
      );
    else if (levels.every(Number.isInteger) && levels.at(-1) - levels[0] <= 10)
      Object.assign(x, {
        tickmode: "array",
        tickvals: levels,
        ticktext: levels.map((level) => number(level)),
      });
    if (shown.logY)
      Object.assign(
        y,
        logTicks(
          shown.zeroY === null
            ? 10 ** y.range[0]
            : Math.min(...positive(shown.points.map((i) => chart.points.mean[i]))),
          10 ** y.range[1],
          shown.zeroY,
        ),
      );
    [x.whole, y.whole] = [x.range[0], y.range[0]].map((start) => [start]);
    if (shown.zeroX !== null) {
      const smallest = Math.min(...positive(levels));
      annotations.push({
        text: "//",
        x: Math.log10(Math.sqrt(shown.zeroX * smallest)),
        y: 0,
        yref: "paper",
        showarrow: false,
        yanchor: "middle",
        bgcolor: "#ffffff",
        borderpad: 0,
        font: { size: 10 },
      });
    }
    const marked = shown.axis.marked?.x ?? null;
    if (marked !== null && (!shown.ends || (marked >= shown.ends[0] && marked <= shown.ends[1]))) {
      const at = shown.logX && marked === 0 ? shown.zeroX : marked;
      shapes.push({
        type: "line",
        x0: at,
        x1: at,
        yref: "paper",
        y0: 0,
        y1: 1,
        layer: "below",
        line: {
          color: chart.form === "points" ? "#d9d9d9" : "#737373",
          width: chart.form === "points" ? 7 : 1,
        },
      });
    }
    for (const each of shown.guides.filter(
      ({ x: places, y: [height] }) => !places && (!shown.logY || height > 0),
    )) {
      shapes.push({
        type: "line",
        xref: "paper",
        x0: 0,
        x1: 1,
        y0: each.y[0],
        y1: each.y[0],
        layer: "below",
        line: { color: each.color, width: 1.1, dash: DASHES[each.dash] },
      });
      const inside = shown.logY ? Math.log10(each.y[0]) : each.y[0];
      if (inside >= y.range[0] && inside <= y.range[1])
        annotations.push({
          text: escape(each.label),
          xref: "paper",
          x: 1,
          xanchor: "right",
          y: inside,
          yanchor: "bottom",
          showarrow: false,
          font: { size: 10, color: NEUTRAL },
        });
    }
    shown.notes.forEach((each, k) =>
      annotations.push({
        text: escape(each.text),
        xref: "paper",
        yref: "paper",
        x: 1,
        xanchor: "right",
        y: 1,
        yanchor: "top",
        yshift: -14 * k,
        showarrow: false,
        font: { size: 11 },
      }),
    );
    if (chart.form === "scatter")
      Object.assign(y, { scaleanchor: "x", autorange: true, range: undefined, showgrid: false });
    return layoutOf({ xaxis: x, yaxis: y, shapes, annotations, height: plot.clientHeight || undefined });
  };
  const keyText = (chart, shown, state, lines) => {
    const parts = [];
    if (
      chart.bands.length &&
      shown.points.some((i) => chart.points.bands.some((band) => band[0][i] !== null))
    ) {
      const drawn = chart.bands.slice(-bandsOf(chart, lines.length).length);
      parts.push(
        `${chart.interval ? "wide bands" : "bands"}: ${drawn.join(" and ")}${drawn.length < chart.bands.length ? ` (a line alone also has its ${chart.bands[0]})` : ""}`,
      );
    }
    if (
      chart.interval &&
      !["steps", "scatter"].includes(chart.form) &&
      shown.points.some((i) => chart.points.low[i] !== null)
    )
      parts.push(
        `${chart.form === "points" || shown.axis.scale === "category" ? "bars" : "bands"}: 95% intervals of the mean`,
      );
    if (shown.printed.length && state.published)
      parts.push(`open markers: published, \u00b1 ${chart.labels.error}`);
    if (shown.axis.marked)
      parts.push(`${chart.form === "points" ? "grey" : "upright line"}: ${shown.axis.marked.label}`);
    if (chart.top !== null) parts.push("at the top: no border");
    if (shown.axis.ringed !== null) parts.push("ringed: last layer");
    if (shown.zeroX !== null) parts.push("0 stands left of the axis break");
    const text = parts.join("; ");
    return text && `${text[0].toUpperCase()}${text.slice(1)}.`;
  };

  Object.assign(NeuralCharts.parts, { textOfX, describePoint, printedAt, tracesOf, linesLayout, keyText });
})();
