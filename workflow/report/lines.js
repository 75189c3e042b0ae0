"use strict";
// The form of lines, and of points, steps and scattered points, with its controls.
(() => {
  const {
    NEUTRAL,
    check,
    choice,
    fill,
    make,
    number,
    picker,
    show,
    swatch,
    view,
    linesOf,
    textOfX,
    describePoint,
    printedAt,
    tracesOf,
    linesLayout,
    keyText,
  } = NeuralCharts.parts;

  // ---- The form of lines, points, steps and scattered points ----
  const linesForm = ({ chart, form, plot, key, onPoint }) => {
    const model = view(chart);
    const { state } = model;
    let change = () => {},
      shown = null,
      lines = [],
      printedOf = new Map();
    const atX = (i) => chart.points.x[i];
    const scattered = chart.form === "scatter";
    const describe = (i, line) => describePoint(chart, shown, line, i, printedOf.get(i));

    // Controls: choices above, the legend of chips, what else can be seen.
    const selects = model.choices.map((each) => {
      const control = choice(each.name, each.label),
        select = control.querySelector("select");
      select.addEventListener("change", () => {
        state.wanted.set(each.place, Number(select.value));
        Object.assign(state, { ends: 0, logX: null, logY: null });
        change();
      });
      return { ...each, control, select };
    });
    const range = choice("range", "Range"),
      rangeSelect = range.querySelector("select");
    rangeSelect.addEventListener("change", () => {
      state.ends = Number(rangeSelect.value);
      change();
    });
    const legend = model.chips.map((each) => {
      const control = make("fieldset", { class: "chips" }, make("legend", {}, each.label));
      control.addEventListener("change", ({ target }) => {
        const value = each.values.findIndex(({ text }) => text === target.dataset.value);
        state.shown.get(each.place)[target.checked ? "add" : "delete"](value);
        change();
      });
      return { ...each, control, drawn: null };
    });
    const toggle = (name, text, property) => {
      const control = check(text, { "data-control": name }),
        box = control.querySelector("input");
      box.addEventListener("change", () => {
        state[property] = box.checked;
        change();
      });
      return {
        control,
        box,
        say: (said) => {
          control.lastChild.textContent = said;
        },
      };
    };
    const seeds = toggle("seeds", "Single seeds", "seeds");
    const published = toggle("published", chart.labels.published, "published");
    const logX = toggle("log-x", "Log x", "logX"),
      logY = toggle("log-y", "Log y", "logY");
    const points =
      onPoint &&
      picker(
        () =>
          lines.flatMap((line) =>
            line.index.map((i) => ({
              label: `${line.label ? `${line.label}; ` : ""}${textOfX(shown.axis, atX(i))}: ${number(chart.points.mean[i])}`,
              point: pointAt(i, line),
            })),
          ),
        onPoint,
      );
    const toggles = make(
      "fieldset",
      { class: "toggles" },
      make("legend", { class: "hidden" }, "Show"),
      seeds.control,
    );
    if (chart.published.x.length) toggles.append(published.control);
    if (!scattered && chart.form !== "steps") toggles.append(logX.control, logY.control);
    form.append(
      make("div", { class: "choices" }, ...selects.map((each) => each.control), range),
      ...legend.map((each) => each.control),
      make("div", { class: "bottom" }, toggles, ...(points ? [points.element] : [])),
    );
    const reason = chart.seeds.omitted ?? (chart.seeds.numbers.length < 2 ? "one seed" : null);
    seeds.box.disabled = reason !== null;
    if (reason) seeds.say(`Single seeds (${reason})`);

    const refresh = () => {
      for (const { place, values, control, select } of selects) {
        const known = shown.possible.get(place);
        fill(
          select,
          known.map((k) => ({ value: String(k), label: values[k].label, group: values[k].group })),
          String(shown.chosen.get(place)),
        );
        show(control, known.length > 1);
      }
      const views = shown.axis.views;
      fill(
        rangeSelect,
        views.map(({ label }, k) => ({ value: String(k), label })),
        String(Math.min(state.ends, Math.max(0, views.length - 1))),
      );
      show(range, views.length > 1);
      for (const each of legend)
        refreshChips(each, shown.present.get(each.place), state.shown.get(each.place), model.chips);
      published.box.checked = state.published;
      published.box.disabled = shown.printed.length === 0;
      const levels = shown.axis.levels,
        numeric = shown.axis.scale !== "category";
      logX.box.disabled = !numeric || Math.min(...levels) < 0 || Math.max(...levels) <= 0;
      logX.box.checked = shown.logX;
      logY.box.disabled =
        shown.points.some((i) => chart.points.mean[i] < 0) ||
        !shown.points.some((i) => chart.points.mean[i] > 0);
      logY.box.checked = shown.logY;
      points?.reset();
    };
    const pointAt = (i, line, seed = null) => {
      const span = chart.spans[chart.points.span[i]] ?? null;
      return {
        run: chart.runs[chart.points.run[i]] ?? null,
        epoch: chart.epochs[chart.points.epoch[i]] ?? null,
        seeds: seed === null ? span : [seed, seed],
        x: textOfX(shown.axis, atX(i)),
        series: line.label,
      };
    };

    const picture = () => {
      shown = model.now();
      lines = linesOf(chart, model.chips, shown);
      shown.logX = state.logX ?? shown.axis.scale === "log";
      shown.logY = state.logY ?? shown.y.scale === "log";
      if (!shown.points.some((i) => chart.points.mean[i] > 0)) shown.logY = false;
      refresh();
      printedOf = printedAt(chart, shown);
      const traces = tracesOf({ chart, shown, state, lines, plot, describe });
      key.textContent = keyText(chart, shown, state, lines);
      return { traces, layout: linesLayout(chart, shown, state, plot, lines.length) };
    };
    const pointOf = ({ customdata }) => {
      if (!customdata) return null;
      const [i, k, seed] = customdata;
      return i >= 0 ? pointAt(i, lines[k], seed ?? null) : null;
    };
    return {
      picture,
      pointOf,
      onChange: (render) => {
        change = render;
      },
    };
  };

  const refreshChips = (each, present, on, chips) => {
    const { control, values } = each;
    show(control, present.length > 0);
    const wanted = present.join();
    if (each.drawn !== wanted) {
      // A single value needs no switch: its chip is a legend entry.
      const single = present.length === 1;
      control.replaceChildren(
        control.firstChild,
        ...present.map((k) => {
          const own = each.role === "dash" ? { color: NEUTRAL, symbol: "", dash: values[k].dash } : values[k];
          const look =
            each.role === "colour" && chips.some(({ role }) => role === "dash") && own.symbol !== ""
              ? { ...own, dash: "-" }
              : own;
          if (single)
            return make("span", { class: "chip only" }, swatch(look), make("span", {}, values[k].label));
          return check(
            values[k].label,
            { "data-dimension": each.name, "data-value": values[k].text },
            swatch(look),
          );
        }),
      );
      each.drawn = wanted;
    }
    for (const box of control.querySelectorAll("input"))
      box.checked = on.has(values.findIndex(({ text }) => text === box.dataset.value));
  };
  NeuralCharts.forms.lines = linesForm;
})();
