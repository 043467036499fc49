// Runs before anything is painted, so that a page chosen to be dark is never light for a moment.
(function () {
  var asked = new URLSearchParams(location.search).get("theme");
  var kept = null;
  try { kept = localStorage.getItem("theme"); } catch (refused) { kept = null; } // storage may be forbidden
  var theme = asked || kept;
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  document.documentElement.classList.add("js");
})();
