// Put into pages under `--reload` alone: shows the page anew when the site has changed, and what is
// wrong with an edit that is broken. It sets no style sheet, which the policy of a page might refuse.
(() => {
  const { page, sent } = document.currentScript.dataset;
  let events;
  // The event that was told last: what a person has put away stays away.
  let seen = "";
  let shown;

  function element(name, text, style) {
    const made = document.createElement(name);
    made.textContent = text;
    Object.assign(made.style, style);
    return made;
  }

  function hide() {
    shown?.remove();
    shown = undefined;
  }

  function show(style, ...content) {
    hide();
    shown = element("div", "", {
      all: "initial", position: "fixed", inset: "0", zIndex: "2147483647", overflow: "auto", boxSizing: "border-box",
      padding: "2rem", background: "Canvas", color: "CanvasText", colorScheme: "light dark",
      font: "1rem/1.5 system-ui, sans-serif", ...style,
    });
    shown.id = "sitewright-problems";
    shown.setAttribute("role", "alert");
    const close = element("button", "Close", { float: "right" });
    close.addEventListener("click", hide);
    shown.append(close, ...content);
    (document.body ?? document.documentElement).append(shown);
  }

  addEventListener("keydown", event => event.key === "Escape" && hide());

  function problems(event) {
    seen = event.lastEventId;
    show(
      {},
      element("h1", "This edit has problems", { font: "bold 1.5rem/1.2 system-ui, sans-serif", margin: "0 0 1rem" }),
      element("p", "The site is served as it was before. Save a mended file, and it appears here.", { margin: "0 0 1rem" }),
      element("pre", event.data, {
        margin: "0", padding: "1rem", border: "1px solid", borderRadius: ".5rem", overflowX: "auto",
        font: ".9rem/1.4 monospace",
      }),
    );
  }

  function changed() {
    events.close();
    if (sent === undefined) {
      location.reload();
    } else {
      // To show this page anew, its form is sent again; that is for the person to say.
      show({ inset: "auto 0 0", borderTop: "1px solid" }, "The site has changed. Reload this page to send its form again.");
    }
  }

  // Of all tabs together, a browser has six connections to a server: those that nobody sees take none.
  function listen() {
    events?.close();
    if (!document.hidden) {
      events = new EventSource(`/_sitewright/events?page=${page}&seen=${seen}`);
      events.addEventListener("problems", problems);
      events.addEventListener("changed", changed);
    }
  }

  document.addEventListener("visibilitychange", listen);
  listen();
})();
