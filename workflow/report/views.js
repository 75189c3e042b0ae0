"use strict";
// What a chart shows now: the choices, then the chips, then the points of each line.
(() => {
  const { NEUTRAL } = NeuralCharts.parts;

  const view = (chart) => {
    const dimensions = chart.dimensions;
    const choices = dimensions
      .map((each, place) => ({ ...each, place }))
      .filter((each) => each.role === "choice");
    const chips = dimensions
      .map((each, place) => ({ ...each, place }))
      .filter((each) => each.role !== "choice");
    const state = {
      wanted: new Map(choices.map((each) => [each.place, each.selected[0]])),
      shown: new Map(chips.map((each) => [each.place, new Set(each.selected)])),
      ends: 0,
      seeds: false,
      published: true,
      logX: null,
      logY: null,
    };
    const columns = (data) => data.at;
    const every = (data) => Array.from(data.x.keys());
    const matches = (column, place) => (i) => column[i] === place || column[i] === -1;
    const settle = () => {
      let left = every(chart.points);
      const chosen = new Map(),
        possible = new Map();
      for (const { place } of choices) {
        const column = columns(chart.points)[place];
        const known = [...new Set(left.map((i) => column[i]))].sort((a, b) => a - b);
        const wanted = state.wanted.get(place);
        chosen.set(place, known.includes(wanted) ? wanted : known[0]);
        possible.set(place, known);
        left = left.filter((i) => column[i] === chosen.get(place));
      }
      return { chosen, possible, left };
    };
    const fits = (at, chosen) =>
      [...chosen].every(([place, value]) => at[place] === -1 || at[place] === value);
    const now = () => {
      const { chosen, possible, left } = settle();
      const values = choices.map((each) => each.values[chosen.get(each.place)]);
      const axis = chart.axes[values.find((value) => value.axis !== undefined)?.axis ?? 0];
      const y = values.find((value) => value.y !== undefined)?.y ?? chart.y;
      const guides = chart.guides.filter((each) => fits(each.at, chosen));
      const present = new Map(
        chips.map(({ place }) => {
          const found = new Set(left.map((i) => columns(chart.points)[place][i]));
          for (const each of guides) if (each.x && each.at[place] >= 0) found.add(each.at[place]);
          return [place, [...found].filter((k) => k >= 0).sort((a, b) => a - b)];
        }),
      );
      const on = (place, value) => value === -1 || state.shown.get(place).has(value);
      const within = (value) => !ends || (value >= ends[0] && value <= ends[1]);
      const ends = state.ends > 0 && axis.views[state.ends] ? axis.views[state.ends].ends : null;
      const kept = (data, list) =>
        list.filter(
          (i) => within(data.x[i]) && chips.every(({ place }) => on(place, columns(data)[place][i])),
        );
      const points = kept(chart.points, left);
      const published = every(chart.published).filter((i) =>
        [...chosen].every(([place, value]) => matches(columns(chart.published)[place], value)(i)),
      );
      const notes = chart.notes.filter((each) => fits(each.at, chosen));
      const seen = guides.filter((each) => chips.every(({ place }) => on(place, each.at[place])));
      const owners = new Map(choices.flatMap((each) => each.values.map((value) => [value, each])));
      return {
        axis,
        y,
        ends,
        chosen,
        owners,
        possible,
        values,
        present,
        points,
        notes,
        guides: seen,
        printed: kept(chart.published, published),
      };
    };
    return { choices, chips, state, now };
  };

  // Lines: the points that share colour and dash, from left to right.
  const linesOf = (chart, chips, shown) => {
    const at = chart.points.at,
      groups = new Map();
    for (const i of shown.points) {
      const key = chips.map(({ place }) => at[place][i]).join();
      if (!groups.has(key))
        groups.set(key, { index: [], values: chips.map((each) => each.values[at[each.place][i]]) });
      groups.get(key).index.push(i);
    }
    const order = (a, b) =>
      a.split(",").reduce((sum, part, k) => sum || Number(part) - Number(b.split(",")[k]), 0);
    return [...groups]
      .sort(([a], [b]) => order(a, b))
      .map(([key, line]) => {
        line.index.sort((a, b) => chart.points.x[a] - chart.points.x[b]);
        return {
          key,
          ...line,
          look: lookOf(chips, line.values),
          label: chips
            .map((each, k) => nameOf(each, line.values[k]))
            .filter(Boolean)
            .join(", "),
        };
      });
  };
  // A bare number needs the name of its factor.
  const nameOf = (dimension, value) =>
    value && /^[-\u2212\d.\u2009e+]+$/.test(value.label)
      ? `${dimension.label.split(" (")[0]} ${value.label}`
      : value?.label;
  const lookOf = (chips, values) => {
    const colour = values[chips.findIndex((each) => each.role === "colour")] ?? {
      color: NEUTRAL,
      symbol: "o",
      dash: "-",
    };
    const dashed = chips.findIndex((each) => each.role === "dash");
    return {
      color: colour.color,
      symbol: colour.symbol,
      dash: dashed < 0 ? colour.dash : (values[dashed]?.dash ?? "-"),
    };
  };

  Object.assign(NeuralCharts.parts, { view, linesOf, nameOf });
})();
