"use strict";
// The page: opens its payloads, draws charts when they come near, sorts and filters the scorecard.
(() => {
  const root = document.documentElement;
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const { make } = NeuralCharts;

  // Payloads: base64 of gzip, opened once and only when asked for.
  const opened = new Map();
  const open = (name) => {
    if (!opened.has(name)) {
      const text = one(`#payload-${CSS.escape(name)}`).textContent;
      const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      opened.set(name, new Response(stream).blob());
    }
    return opened.get(name);
  };
  const openJson = async (name) => JSON.parse(await (await open(name)).text());

  // The charting library is large: it runs when the first chart is near.
  let plotly = null;
  const loadPlotly = () => {
    plotly ??= open("plotly").then((code) => new Promise((resolve, reject) => {
      const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
      const script = make("script", { src: address });
      script.onload = () => { URL.revokeObjectURL(address); resolve(window.Plotly); };
      script.onerror = () => reject(new Error("the charting library does not run"));
      document.head.append(script);
    }));
    return plotly;
  };
  const drawChart = async (element) => {
    const study = element.dataset.study;
    const article = element.closest(".study");
    try {
      const [library, chart] = await Promise.all([loadPlotly(), openJson(`chart-${study}`)]);
      const label = `Interactive chart: ${one("h3", article).textContent}`;
      const onPoint = (point) => showOrigin(study, point);
      NeuralCharts.mount(element, chart, { Plotly: library, onPoint, label });
    } catch (error) {
      element.textContent = `This chart cannot be drawn here (${error.message}); the figure shows the same data.`;
    }
  };
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((each) => each.isIntersecting)) {
      near.unobserve(entry.target);
      drawChart(entry.target);
    }
  }, { rootMargin: "600px 0px" });

  // Where a point comes from.
  const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\"'\"'")}'`);
  const filesOf = (origins, study, point) => {
    const known = origins.studies[study];
    const chunks = point.seeds
      ? known.chunks.filter(([first, last]) => first <= point.seeds[1] && last >= point.seeds[0])
      : known.chunks;
    const epochs = point.epoch === undefined || point.epoch === null ? known.checkpoints : [point.epoch];
    const parts = chunks.map(([first, last]) => `${point.run}/seeds${first}-${last}`);
    const measured = parts.flatMap((part) => epochs.flatMap((epoch) => Object.entries(known.endings).map(([measure, ending]) =>
      `${origins.results}/metrics/${part}/epoch${measure === "history" ? "final" : epoch}${ending}`)));
    return {
      measured: [...new Set(measured)],
      others: [
        ...parts.flatMap((part) => [".safetensors", ".history.csv"].map((ending) => `${origins.results}/models/${part}${ending}`)),
        ...known.codes.flatMap((folder) => parts.map((part) => `${origins.results}/${folder}/${part}/`)),
        `${origins.results}/${origins.preset}/tables/${study}.csv`,
        `${origins.results}/${origins.preset}/figures/${study}.pdf`,
      ],
    };
  };
  const code = (text, attributes) => make("code", attributes, text);
  const showOrigin = async (study, point) => {
    const origins = await openJson("origins");
    const { measured, others } = filesOf(origins, study, point);
    const command = ["snakemake --cores 1", origins.options, "--force", ...measured.map(quoted)].filter(Boolean).join(" ");
    const copy = make("button", { type: "button" }, "Copy");
    copy.onclick = async () => {
      try { await navigator.clipboard.writeText(command); } catch {
        getSelection().selectAllChildren(one(".command", dialog));
        document.execCommand("copy"); // files may not use the clipboard otherwise
      }
      copy.textContent = "Copied";
    };
    const facts = Object.entries(origins.runs[point.run] ?? {}).map(([key, value]) =>
      make("div", {}, make("dt", {}, code(key)), make("dd", {}, value === null ? "none" : String(value))));
    const singles = (point.singles ?? []).map(([seed, value]) => make("tr", {}, make("th", { scope: "row" }, String(seed)), make("td", { class: "number" }, String(value))));
    const heads = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Seed"), make("th", { scope: "col", class: "number" }, "Value")));
    one("#provenance-content").replaceChildren(
      make("p", {}, ...(point.told ? [`${point.told}. `] : []), "Run ", code(point.run), `, ${(point.epoch ?? null) === null ? "all its checkpoints" : `epoch ${point.epoch}`}, study `, code(study), "."),
      make("h3", {}, "Command that rebuilds this"), code(command, { class: "command" }), copy,
      ...(singles.length ? [make("h3", {}, "Single seeds"), make("table", { class: "singles" }, heads, make("tbody", {}, ...singles))] : []),
      make("h3", {}, "Files"), make("ul", {}, ...[...measured, ...others].map((name) => make("li", {}, code(name)))),
      make("h3", {}, "Configuration"), make("dl", { class: "facts" }, ...facts),
    );
    if (!dialog.open) dialog.showModal();
  };
  const dialog = one("#provenance");
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  // Downloads.
  const types = { csv: "text/csv", pdf: "application/pdf", scorecard: "text/csv" };
  const save = async (kind, study) => {
    const name = kind === "scorecard" ? "scorecard" : `${kind}-${study}`;
    const blob = new Blob([await open(name)], { type: types[kind] });
    const file = kind === "scorecard" ? "scorecard.csv" : kind === "csv" ? `${study}.summary.csv` : `${study}.pdf`;
    const link = make("a", { href: URL.createObjectURL(blob), download: file });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.download) save(button.dataset.download, button.dataset.study);
    if (button?.matches(".provenance")) showOrigin(button.dataset.study, { run: button.dataset.run });
  });

  // Scorecard.
  const body = one("#scores tbody");
  const rows = all("tr", body).map((row, position) => ({
    row, position, text: row.textContent.toLowerCase(), cells: [...row.cells],
  }));
  const filters = { paper: one("#filter-paper"), source: one("#filter-source"), verdict: one("#filter-verdict") };
  const words = one("#filter-text");
  const filter = () => {
    const wanted = words.value.toLowerCase().split(/[\s,]+/).filter(Boolean);
    let shown = 0;
    for (const { row, text } of rows) {
      const fits = Object.entries(filters).every(([key, select]) => !select.value || row.dataset[key] === select.value)
        && wanted.every((word) => text.includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    one("#scores-count").textContent = `${shown} of ${rows.length} values`;
  };
  const key = (cell) => ("value" in cell.dataset ? (cell.dataset.value === "" ? null : Number(cell.dataset.value)) : cell.textContent);
  const compared = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
  const sort = (head) => {
    const upwards = head.getAttribute("aria-sort") !== "ascending";
    for (const each of all("#scores thead th")) each.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", upwards ? "ascending" : "descending");
    const keyed = rows.map((each) => ({ each, value: key(each.cells[head.cellIndex]) }));
    keyed.sort((a, b) => {
      if (a.value === null || b.value === null) return (a.value === null) - (b.value === null) || a.each.position - b.each.position;
      return (upwards ? 1 : -1) * compared(a.value, b.value) || a.each.position - b.each.position;
    });
    body.append(...keyed.map(({ each }) => each.row));
  };
  for (const select of Object.values(filters)) select.addEventListener("change", filter);
  words.addEventListener("input", filter);
  one("form.filters").addEventListener("submit", (event) => event.preventDefault());
  for (const head of all("#scores thead th")) one("button", head).addEventListener("click", () => sort(head));

  // Contents: the entry of what is read is marked.
  const menu = one("#contents-menu");
  const narrow = matchMedia("(max-width: 60rem)");
  const fold = () => { menu.open = !narrow.matches; };
  const entries = new Map(all("#contents a").map((link) => [link.hash.slice(1), link]));
  let marked = null;
  const mark = (id) => {
    for (const [name, link] of entries) {
      if (name === id) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
    }
    const link = entries.get(id);
    if (!link || narrow.matches || id === marked) return;
    marked = id;
    // of the list alone: scrollIntoView would move the page as well
    const list = one("#contents"), here = link.getBoundingClientRect(), frame = list.getBoundingClientRect();
    if (here.top < frame.top) list.scrollTop += here.top - frame.top - 16;
    if (here.bottom > frame.bottom) list.scrollTop += here.bottom - frame.bottom + 16;
  };
  const targets = all("main section[id], main article[id]").filter((each) => entries.has(each.id));
  let waiting = false;
  const follow = () => {
    waiting = false;
    const line = 140; // what has passed it is being read
    const passed = targets.filter((each) => each.getBoundingClientRect().top <= line);
    const atEnd = innerHeight + scrollY >= root.scrollHeight - 2; // what stands there cannot pass it
    const asked = targets.find((each) => each.id === location.hash.slice(1));
    const seen = atEnd && asked && asked.getBoundingClientRect().top < innerHeight ? asked : null;
    mark((seen ?? passed.at(-1) ?? targets[0])?.id);
  };
  addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(follow); } }, { passive: true });
  one("#contents").addEventListener("click", (event) => { if (event.target.closest("a") && narrow.matches) menu.open = false; });
  narrow.addEventListener("change", fold);

  // Theme: the system's until the reader chooses.
  const button = one("#theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme === "auto" ? system.matches : root.dataset.theme === "dark");
  const tell = () => { button.textContent = dark() ? "Light" : "Dark"; button.setAttribute("aria-label", `${button.textContent} theme`); };
  button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; tell(); });
  system.addEventListener("change", tell);

  tell();
  fold();
  filter();
  // Charts that come in above must not move what a deep link points to.
  const anchored = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  root.dataset.ready = "true";
  anchored?.scrollIntoView({ behavior: "instant" });
  follow();
  for (const chart of all(".chart")) near.observe(chart);
  root.dataset.readyMs = String(Math.round(performance.now()));
})();
