// What the page does without its server: files stay in this tab and are asked one at a time.
(() => {
  const files = new Map(); // key -> {name, content}
  let queue = [], rows = [], total = 0, done = 0, next = 0, toShow = null, busy = false;
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const same = () => window.dash_clientside.no_update;
  const natural = (a, b) => a.name.localeCompare(b.name, undefined, {numeric: true});
  const drop = () => document.getElementById("drop");
  const mega = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
  const notes = new Set();

  const say = (text) => {
    notes.add(text);
    set("refused", {children: [...notes].slice(0, 6).join(" ")});
  };
  const quiet = () => { notes.clear(); set("refused", {children: ""}); };

  // A server that is gone is said, instead of a page that waits for ever.
  const ask = window.fetch.bind(window);
  window.fetch = (...request) => ask(...request).then((answer) => {
    if (answer.status >= 400) set("fault", {children: `The page's server refused this (${answer.status}).`});
    return answer;
  }, (error) => {
    set("fault", {children: "The page's server does not answer; is ‘xascoord serve’ still running?"});
    busy = false;
    throw error;
  });

  // The component passes over what is too large without a word: say it.
  const tooLarge = (file) => {
    const most = Number(drop().dataset.bytes);
    if (file.size > most) {
      say(`${file.name}: ${mega(file.size)} are more than the ${mega(most)} that are read of a file.`);
    }
  };
  const walk = (entry) => {
    if (entry.isFile) entry.file(tooLarge);
    else if (entry.isDirectory) {
      const reader = entry.createReader();
      const more = () => reader.readEntries((found) => {
        found.forEach(walk);
        if (found.length) more();
      });
      more();
    }
  };
  document.addEventListener("drop", (event) => {
    if (!drop() || !drop().contains(event.target)) return;
    quiet();
    for (const item of event.dataTransfer.items || []) {
      const entry = item.webkitGetAsEntry && item.webkitGetAsEntry();
      if (entry) walk(entry);
      else if (item.getAsFile && item.getAsFile()) tooLarge(item.getAsFile());
    }
  }, true);
  document.addEventListener("change", (event) => {
    if (!drop() || !drop().contains(event.target) || !event.target.files) return;
    quiet();
    [...event.target.files].forEach(tooLarge);
  }, true);
  // Names that the components leave out, and inputs that their buttons stand for.
  new MutationObserver(() => {
    for (const thumb of document.querySelectorAll("[role=slider]:not([aria-label])")) {
      thumb.setAttribute("aria-label", "Move e0, in eV");
    }
    for (const input of document.querySelectorAll("input[type=file]:not([tabindex])")) {
      input.setAttribute("tabindex", "-1");
      input.setAttribute("aria-hidden", "true");
    }
  }).observe(document.documentElement, {childList: true, subtree: true});
  // Elsewhere a dropped file would replace the page.
  for (const kind of ["dragover", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (!drop() || !drop().contains(event.target)) event.preventDefault();
    });
  }

  const take = (contents, names) => {
    const most = Number(drop().dataset.files), suffixes = drop().dataset.suffixes.split(" ");
    let found = contents.map((content, i) => ({name: names[i], content})).sort(natural);
    if (found.length > 1) {
      const known = found.filter((f) => suffixes.some((s) => f.name.toLowerCase().endsWith(s)));
      if (known.length < found.length) {
        const others = found.filter((f) => !known.includes(f)).map((f) => f.name);
        say(`Not looked at (${others.length}), no spectra by their names: ${others.slice(0, 3).join(", ")}` +
          `${others.length > 3 ? " …" : "."}`);
      }
      found = known;
    }
    const room = Math.max(0, most - files.size);
    if (found.length > room) {
      say(`The page holds ${most} files: ${found.length - room} of these were not taken.`);
      found = found.slice(0, room);
    }
    for (const file of found) {
      const key = `f${next++}`;
      files.set(key, file);
      queue.push(key);
      if (toShow === null) toShow = key;
    }
    total += found.length;
  };

  const go = (wishes) => {
    if (busy || !queue.length) return;
    busy = true;
    const key = queue[0];
    set("ask", {data: {key, ...files.get(key), wishes}});
  };

  const status = () => {
    if (queue.length) return `Asking: ${done} of ${total} files…`;
    if (!files.size) return "";
    const answered = rows.filter((row) => !row.reason).length;
    return `${files.size} ${files.size === 1 ? "file" : "files"}, ${rows.length} ` +
      `${rows.length === 1 ? "spectrum" : "spectra"}: ${answered} answered, ` +
      `${rows.length - answered} refused.`;
  };

  const pump = (contents, more, answered, revised, again, clear, names, moreNames, element, channel,
                classifier, rate, deglitch) => {
    const wishes = {element, channel, classifier, rate, deglitch};
    const what = window.dash_clientside.callback_context.triggered.map((t) => t.prop_id.split(".")[0]);
    if (!queue.length) { total = 0; done = 0; }
    if (what.includes("upload") && contents) take(contents, names);
    if (what.includes("folder") && more) take(more, moreNames);
    if (what.includes("answered") && answered) {
      const key = answered.key;
      busy = false;
      queue = queue.filter((k) => k !== key);
      if (files.has(key)) {
        const first = rows.findIndex((row) => row.key === key);
        const others = rows.filter((row) => row.key !== key);
        others.splice(first < 0 ? others.length : first, 0, ...answered.rows);
        rows = others;
        done += 1;
      }
    }
    if (what.includes("revised") && revised) {
      rows = rows.map((row) => (row.id === revised.id ? revised : row));
    }
    if (what.includes("again")) { queue = [...files.keys()]; total = queue.length; done = 0; }
    if (what.includes("clear")) { files.clear(); rows = []; queue = []; quiet(); toShow = null; busy = false; }
    go(wishes);
    // A table of hundreds is not drawn anew for each of them.
    const draw = !queue.length || rows.length < 10 || done % 5 === 0;
    return [draw ? [...rows] : same(), status()];
  };

  const choose = (selected, found, current) => {
    const what = window.dash_clientside.callback_context.triggered.map((t) => t.prop_id);
    let row = null;
    if (what.includes("grid.selectedRows")) row = Array.isArray(selected) ? selected[0] : null;
    else if (found && toShow !== null && found.some((r) => r.key === toShow)) {
      row = found.find((r) => r.key === toShow);
      toShow = null;
    } else if (found && found.length && !current) row = found[0];
    else if (found && !found.length && current) return [null, 0, null];
    if (!row || !files.has(row.key) || (current && current.id === row.id)) return [same(), same(), same()];
    const file = files.get(row.key);
    return [{id: row.id, key: row.key, place: row.place, ...file}, 0, null];
  };

  const table = (found, current) => {
    const lean = queue.length ? same() : (found || []).map(
      ({file, spectrum, numbers}) => ({file, spectrum, numbers}));
    const height = Math.min(360, 70 + 41 * Math.max(1, (found || []).length));
    return [found || [], !(found && found.length), current ? {ids: [current.id]} : same(), lean,
            {height: `${height}px`}];
  };

  const later = (figure) => new Promise((done) => window.setTimeout(() => done(figure), 60));

  // What was asked for by a click is brought into view, and to a screen reader.
  const look = (card) => {
    if (card && card.length) {
      window.setTimeout(() => document.getElementById("card").focus(), 0);
    }
    return same();
  };

  const turn = (address) => {
    const models = address === "/models";
    const mark = (own) => (own ? "here" : "");
    return [models, !models, mark(!models), mark(models)];
  };

  window.dash_clientside = Object.assign({}, window.dash_clientside, {page: {pump, choose, table, turn, look, later}});
  const parts = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});
  parts.Picture = (props) => props.value
    ? window.React.createElement("img", {src: props.value, alt: `window of ${props.data.spectrum}`})
    : null;
})();
