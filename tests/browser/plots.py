"""What is in a chart that plotly has drawn, and where."""

from collections.abc import Iterator
from typing import Any

import browsing

# What a chart shows: its points, and a sum that every change changes.
STATE = """chart => {
  const traces = [...chart.querySelectorAll('.js-plotly-plot')].flatMap(plot => plot._fullData)
    .filter(trace => trace.visible === true);
  const numbers = traces.flatMap(each => [each.x, each.y, each.z?.flat()])
    .flatMap(values => Array.from(values ?? [])).filter(Number.isFinite);
  return {
    points: traces.reduce((sum, each) => sum + (each.x ?? each.y ?? []).length, 0),
    total: numbers.reduce((sum, each, place) => sum + each * (1 + place % 7), 0),
  };
}"""
# Places in the window, at most 24 and far apart, where a point of the chart can be touched.
PLACES = """chart => {
  const places = [];
  for (const plot of chart.querySelectorAll('.js-plotly-plot')) {
    const box = plot.getBoundingClientRect(), { xaxis, yaxis } = plot._fullLayout;
    for (const trace of plot._fullData) {
      if (trace.visible !== true || !trace.customdata) continue;
      const heat = trace.type === 'heatmap';
      trace.x.forEach((across, i) => {
        const told = heat ? trace.customdata[0][i] : trace.customdata[i];
        let x = xaxis.d2p(across);
        const y = yaxis.d2p(trace.y[heat ? 0 : i]);
        if (trace.type === 'bar') x = (x + xaxis.d2p(0)) / 2;
        const place = [box.left + xaxis._offset + x, box.top + yaxis._offset + y];
        const inside = x >= 0 && x <= xaxis._length && y >= 0 && y <= yaxis._length;
        if (!told || !inside) return;
        if (plot.contains(document.elementFromPoint(...place))) places.push(place);
      });
    }
  }
  const step = Math.max(1, Math.floor(places.length / 24));
  return places.filter((_, place) => place % step === 0).slice(0, 24);
}"""
LABEL = """chart => {
  const lines = chart.querySelectorAll('.hoverlayer tspan.line, .hoverlayer text:not(:has(tspan))');
  return Array.from(lines, each => each.textContent).join('\\n').trim();
}"""
SETTLE_MS, WAIT_FOR_LABEL_MS = 150, 400


class Plot:
    """The chart of one study, once it is drawn."""

    def __init__(self, page: Any, study: str) -> None:
        self.page, self.study = page, study
        self.chart = page.locator(f".chart[data-study='{study}']")

    def state(self) -> dict[str, Any]:
        return self.chart.evaluate(STATE)

    def hover(self) -> Iterator[tuple[float, float, str]]:
        """Go from point to point: the places where a label appears, and the label."""
        browsing.show(self.chart.locator(".plot").first)
        for x, y in self.chart.evaluate(PLACES):
            self.page.mouse.move(x - 3, y - 3)
            self.page.mouse.move(x, y)
            self.page.wait_for_timeout(SETTLE_MS)  # the label may be that of a point on the way
            for _ in range(8):
                if label := self.chart.evaluate(LABEL):
                    yield x, y, label
                    break
                self.page.wait_for_timeout(WAIT_FOR_LABEL_MS / 8)

    def controls(self, selector: str) -> Any:
        return self.chart.locator(f".controls {selector}")

    def use(self, control: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Click on a control's label; what the chart showed before and shows now."""
        before = self.state()
        control.locator("xpath=ancestor::label").first.click()
        return before, self.changed(before)

    def changed(self, before: dict[str, Any]) -> dict[str, Any]:
        """Wait until the chart shows something else, at most two seconds; what it shows."""
        for _ in range(40):
            now = self.state()
            if now != before:
                break
            self.page.wait_for_timeout(50)
        return now
