"""What is in a chart that plotly has drawn, and where."""

from typing import Any

import browsing

# What a chart shows: the visible traces, their points, a sum that every change changes.
STATE = """chart => {
  const plot = chart.querySelector('.js-plotly-plot');
  const traces = plot._fullData.filter(trace => trace.visible === true);
  const numbers = values => Array.from(values ?? [])
    .flatMap(each => (each?.length ? [...each] : [each])).filter(Number.isFinite);
  const layout = plot._fullLayout;
  const axes = Object.keys(layout).filter(key => /^xaxis\\d*$/.test(key));
  return {
    traces: traces.length,
    points: traces.reduce((sum, each) => sum + (each.x ?? each.y ?? each.z ?? []).length, 0),
    total: traces.flatMap(each => [each.x, each.y, each.z, each.marker?.color]).flatMap(numbers)
      .reduce((sum, each, place) => sum + each * (1 + place % 7), 0),
    x_axes: axes.map(key => layout[key].type),
    titles: axes.map(key => layout[key].title?.text ?? ''),
  };
}"""

# Places in the window, at most 24 and far apart, where a point of the chart can be touched.
PLACES = """chart => {
  const plot = chart.querySelector('.js-plotly-plot');
  const layout = plot._fullLayout, box = plot.getBoundingClientRect(), places = [];
  const axis = (name, letter) => layout[letter + 'axis' + name.slice(1)];
  for (const trace of plot._fullData) {
    if (trace.visible !== true || trace.hoverinfo === 'skip' || !trace.xaxis) continue;
    const across = axis(trace.xaxis, 'x'), up = axis(trace.yaxis, 'y');
    const middle = trace.type === 'heatmap' && Math.floor(trace.y.length / 2);
    const xs = trace.x ?? [], ys = trace.y ?? [];
    for (let i = 0; i < xs.length; i += 1) {
      let x = across.d2p(xs[i]), y = up.d2p(ys[middle === false ? i : middle]);
      if (trace.type === 'bar' && trace.orientation === 'h') x = (x + across.d2p(0)) / 2;
      else if (trace.type === 'bar') y = (y + up.d2p(0)) / 2;
      const place = [box.left + across._offset + x, box.top + up._offset + y];
      const inside = x >= 0 && x <= across._length && y >= 0 && y <= up._length;
      if (inside && plot.contains(document.elementFromPoint(...place))) places.push(place);
    }
  }
  const step = Math.max(1, Math.floor(places.length / 24));
  return places.filter((_, place) => place % step === 0).slice(0, 24);
}"""
LABEL = """chart => {
  const lines = chart.querySelectorAll('.hoverlayer tspan.line, .hoverlayer text:not(:has(tspan))');
  return Array.from(lines, each => each.textContent).join(' ').trim();
}"""
FLAT = "chart => chart.querySelector('.js-plotly-plot')._fullData.some(each => each.xaxis)"
WAIT_FOR_LABEL_MS = 400


class Plot:
    """The chart of one study, once it is drawn."""

    def __init__(self, page: Any, study: str) -> None:
        self.page, self.study = page, study
        self.chart = page.locator(f".chart[data-study='{study}']")

    def state(self) -> dict[str, Any]:
        return self.chart.evaluate(STATE)

    def is_flat(self) -> bool:
        """Whether its points can be touched: not so in a scene of three dimensions."""
        return self.chart.evaluate(FLAT)

    def hover(self) -> list[tuple[float, float, str]]:
        """Go from point to point; the places where a label appears, and the label."""
        browsing.show(self.chart.locator(".plot"))
        found = []
        for x, y in self.chart.evaluate(PLACES):
            self.page.mouse.move(x - 3, y - 3)
            self.page.mouse.move(x, y)
            label = self._label()
            if label:
                found.append((x, y, label))
            if len(found) == 3:
                break
        return found

    def controls(self, selector: str) -> Any:
        return self.chart.locator(f".controls {selector}")

    def use(self, control: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Click on a control's label, or on itself; what the chart showed before and shows now."""
        before = self.state()
        label = control.locator("xpath=ancestor::label")
        (label if label.count() else control).first.click()
        return before, self.changed(before)

    def changed(self, before: dict[str, Any]) -> dict[str, Any]:
        """Wait until the chart shows something else, at most two seconds; what it shows."""
        for _ in range(40):
            now = self.state()
            if now != before:
                break
            self.page.wait_for_timeout(50)
        return now

    def _label(self) -> str:
        for _ in range(8):
            label = self.chart.evaluate(LABEL)
            if label:
                break
            self.page.wait_for_timeout(WAIT_FOR_LABEL_MS / 8)
        return label
