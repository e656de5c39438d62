// Light or dark: as the system says until the button is pressed; print is light.
{
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  multitag.onTheme = [];

  const apply = (theme) => {
    root.dataset.theme = theme;
    button.textContent = theme === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${theme === "dark" ? "light" : "dark"} colours`);
    multitag.onTheme.forEach((call) => call());
  };
  const current = () => chosen ?? (system.matches ? "dark" : "light");

  button.addEventListener("click", () => {
    chosen = current() === "dark" ? "light" : "dark";
    apply(chosen);
  });
  system.addEventListener("change", () => apply(current()));
  window.addEventListener("beforeprint", () => apply("light"));
  window.addEventListener("afterprint", () => apply(current()));
  apply(current());

  multitag.colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
}
