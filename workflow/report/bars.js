"use strict";
// The form of stacked bars: recipes by their distance to the published values.
(() => {
  const { NEUTRAL, axisLook, check, escape, layoutOf, make, number, swatch } = NeuralCharts.parts;

  const barsForm = ({ chart, form, key }) => {
    const { recipes, distance, series, points } = chart.bars;
    const on = new Set(series.keys());
    let change = () => {};
    const control = make(
      "fieldset",
      { class: "chips" },
      make("legend", {}, "Share of"),
      ...series.map((each) =>
        check(
          each.label,
          { "data-dimension": "series", "data-value": each.text, checked: true },
          swatch(each, true),
        ),
      ),
    );
    control.addEventListener("change", ({ target }) => {
      on[target.checked ? "add" : "delete"](series.findIndex(({ text }) => text === target.dataset.value));
      change();
    });
    form.append(control);
    key.textContent =
      "Hatched: training set. The shares of a bar add up to the distance of the recipe, the mean over all points that recipes share.";
    const picture = () => {
      const names = recipes.map((name, k) => `${k + 1}. ${escape(name)}`);
      const traces = [...on]
        .sort((a, b) => a - b)
        .map((k) => ({
          type: "bar",
          orientation: "h",
          x: series[k].share,
          y: names,
          hoverinfo: "text",
          hovertext: series[k].share.map(
            (share, r) =>
              `<b>${escape(recipes[r])}</b><br>${escape(series[k].label)}: <b>${number(share)}</b> of ${number(distance[r])}<br>mean absolute difference to the published values, n = ${points} points, no interval`,
          ),
          marker: {
            color: series[k].color,
            line: { color: "#ffffff", width: 0.7 },
            pattern: series[k].hatched
              ? { shape: "/", fillmode: "overlay", fgcolor: "#ffffff", fgopacity: 1, size: 7, solidity: 0.25 }
              : {},
          },
        }));
      const ends = recipes.map((_, r) => [...on].reduce((sum, k) => sum + series[k].share[r], 0));
      const annotations = ends.map((end, r) => ({
        text: number(end, 3),
        x: end,
        y: names[r],
        xanchor: "left",
        xshift: 3,
        showarrow: false,
        font: { size: 11, color: NEUTRAL },
      }));
      const x = { ...axisLook(chart.axes[0].label), range: [0, 1.12 * Math.max(...ends, 1e-6)] };
      return {
        traces,
        layout: layoutOf({
          annotations,
          barmode: "stack",
          bargap: 0.35,
          xaxis: x,
          yaxis: { ...axisLook(""), autorange: "reversed", showgrid: false, ticks: "", type: "category" },
        }),
      };
    };
    return {
      picture,
      pointOf: () => null,
      onChange: (render) => {
        change = render;
      },
    };
  };
  NeuralCharts.forms.bars = barsForm;
})();
