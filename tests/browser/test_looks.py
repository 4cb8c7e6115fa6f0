"""Look, themes, paper, weight, and pages of a site's own, in a real browser; the numbers are those of the checklist of pages
(ui-checklist.md, I)."""
import base64
import json
import secrets

import pytest

from scenes import CONFIG, ROOT, Person, become, chromium, hub, look, settled
from test_accessibility import visits
from test_home import Page

# the part of the pixels of a picture whose contrast with its first pixel is 3:1 or more
STANDING_OUT = """
    const done = arguments[1];
    const picture = new Image();
    picture.onload = () => {
      const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
      canvas.drawImage(picture, 0, 0);
      const { data } = canvas.getImageData(0, 0, picture.width, picture.height);
      const light = (at) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, part) => {
        const value = data[at + part] / 255;
        return sum + weight * (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
      }, 0);
      const ground = light(0);
      let seen = 0;
      for (let at = 0; at < data.length; at += 4) {
        const [less, more] = [ground, light(at)].sort((one, other) => one - other);
        seen += (more + 0.05) / (less + 0.05) >= 3;
      }
      done(seen / (data.length / 4));
    };
    picture.src = "data:image/png;base64," + arguments[0];
"""
LIGHTNESS = """
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
    const lightness = (colour) => {
      canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
      return alpha === 0 ? null : (red + green + blue) / 765;
    };
"""
STYLE = """
    const found = {};
    for (const kind of ["btn-primary", "btn-danger", "btn-plain", ""]) {
      const button = document.createElement("button");
      button.className = kind;
      document.getElementById("main").append(button);
      const { backgroundColor, color, borderTopColor, borderRadius, fontFamily, minHeight } = getComputedStyle(button);
      found[kind] = [backgroundColor, color, borderTopColor, borderRadius, fontFamily, minHeight];
      button.remove();
    }
    const sheets = [...document.styleSheets].map(({ href }) => href);
    const strange = [...document.querySelectorAll("button, .btn")].filter((button) => button.style.length);
    return [found, sheets, strange.length];
"""


def media(driver, kind="", **features):
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "media": kind, "features": [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]})


@pytest.mark.parametrize("chosen, system", [(None, "light"), (None, "dark"), ("dark", "light"), ("light", "dark")])
def test_ui_181_the_logo_is_seen_in_both_themes(visitor, chosen, system):
    """The drawing stands out from what is behind it, with the system's colours and with those that somebody chose."""
    visitor.open()
    visitor.driver.execute_script("arguments[0] ? localStorage.setItem('jupyterhub-bs-theme', arguments[0]) : localStorage.clear()", chosen)
    look(visitor.driver, 1280, 900, system)
    visitor.open()
    box = visitor.find(".brand img").rect
    picture = visitor.driver.execute_cdp_cmd("Page.captureScreenshot", {
        "clip": {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"], "scale": 3}})["data"]
    visitor.driver.execute_script("localStorage.clear()")
    visitor.driver.get("about:blank")
    assert len(base64.b64decode(picture)) > 500
    assert visitor.driver.execute_async_script(STANDING_OUT, picture) > 0.1, "little of the logo is seen"


def test_ui_182_buttons_of_the_administration_are_dark_in_the_dark(played, shared_driver):
    """No white buttons, fields or lists on dark pages."""
    bright = LIGHTNESS + """
        return [...document.querySelectorAll("button, .btn, input, select, textarea, table, .card")]
          .filter((element) => element.checkVisibility() && !element.matches(".btn-primary, input[type=submit]"))
          .filter((element) => (lightness(getComputedStyle(element).backgroundColor) ?? 0) > 0.4)
          .map((element) => element.outerHTML.slice(0, 100));"""
    for name in visits(played, shared_driver, theme="dark", names=["admin", "admin-user", "admin-group", "admin-hub", "home"]):
        assert shared_driver.execute_script(bright) == [], name
        assert shared_driver.execute_script(LIGHTNESS + "return lightness(getComputedStyle(document.body).backgroundColor)") < 0.2


def test_ui_183_users_and_administrators_see_one_design(played, shared_driver):
    """The same style sheet everywhere, and a button of a kind looks the same on each page."""
    looks = {name: shared_driver.execute_script(STYLE) for name in visits(
        played, shared_driver, names=["login", "home", "token", "admin", "admin-hub", "not-found"])}
    styles, sheets, strange = zip(*looks.values())
    assert all(style == styles[0] for style in styles), looks
    assert all(len(found) == 1 and found == sheets[0] for found in sheets), sheets
    assert not any(strange), "buttons with a style of their own"


@pytest.mark.parametrize("chosen", [None, "dark"])
def test_ui_184_pages_can_be_printed(visitor, chosen):
    """On paper: dark on white whatever the screen has, without what can only be pressed, with what there is to read."""
    visitor.person.start(image="Data science")
    visitor.open()
    visitor.driver.execute_script("arguments[0] && localStorage.setItem('jupyterhub-bs-theme', arguments[0])", chosen)
    try:
        visitor.open()
        media(visitor.driver, "print", prefers_color_scheme="dark")
        dark = LIGHTNESS + """
            return [...document.querySelectorAll("h1, h2, p, li, .state")].filter((element) => element.checkVisibility() && element.textContent.trim())
              .filter((element) => lightness(getComputedStyle(element).color) > 0.5).map((element) => element.outerHTML.slice(0, 100));"""
        assert visitor.driver.execute_script(dark) == [], "bright text on white paper"
        for css in (".navbar", ".server-buttons", "#named-servers", ".server-more"):
            assert not visitor.find(css).is_displayed(), css
        assert visitor.find("h1").is_displayed() and "image: Data science" in visitor.card().text
    finally:
        visitor.driver.execute_script("localStorage.clear()")
        look(visitor.driver, 1280)


def test_ui_184_pages_can_be_read_in_forced_colours(played, shared_driver):
    """With a palette of the system's: every button, field and state has an edge, and the bar of a start is seen."""
    without = """
        return [...document.querySelectorAll("button, .btn, input:not([type=hidden]), select, .state, .card")]
          .filter((element) => element.checkVisibility() && !element.closest("dialog:not([open])"))
          .filter((element) => { const { borderTopWidth, borderTopStyle, borderTopColor, backgroundColor } = getComputedStyle(element);
            return borderTopWidth === "0px" || borderTopStyle === "none" || borderTopColor === getComputedStyle(document.body).backgroundColor; })
          .filter((element) => !element.matches("input[type=checkbox], input[type=radio]"))
          .map((element) => element.outerHTML.slice(0, 120));"""
    for name in visits(played, shared_driver, names=["home", "login", "token", "progress", "admin"]):
        media(shared_driver, forced_colors="active", prefers_color_scheme="dark")
        assert shared_driver.execute_script("return matchMedia('(forced-colors: active)').matches"), "else this proves nothing"
        assert shared_driver.execute_script(without) == [], name
        if name == "progress":
            bar, track = (shared_driver.execute_script(
                "const s = getComputedStyle(document.querySelector(arguments[0])); return s.backgroundImage + s.backgroundColor", css)
                for css in ("#progress-bar", ".progress"))
            assert bar != track, "the bar is seen"
        look(shared_driver, 1280)


def responses(driver):
    """Of each answer since the last time: address, headers, bytes on the wire."""
    found, sizes = {}, {}
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        params = message["params"]
        if message["method"] == "Network.responseReceived" and params["response"]["url"].startswith("http"):
            headers = {name.lower(): value for name, value in params["response"]["headers"].items()}
            found[params["requestId"]] = (params["response"]["url"], headers)
        elif message["method"] == "Network.loadingFinished":
            sizes[params["requestId"]] = params["encodedDataLength"]
    return [(url, headers, sizes.get(request, 0)) for request, (url, headers) in found.items()]


@pytest.mark.parametrize("path", ["/hub/login", "/hub/home", "/hub/token", "/hub/admin"])
def test_ui_185_a_first_view_is_light_and_the_next_one_lighter(shared_site, path):
    """Nothing is in the cache: everything compressed, 100 kB or less; the next page takes its files from the cache."""
    with chromium() as driver:
        become(driver, shared_site, None if path == "/hub/login" else Person(shared_site, "boss"))
        driver.get_log("performance")
        driver.get(shared_site + path)
        settled(driver)
        first = responses(driver)
        assert 0 < sum(size for *_, size in first) <= 100_000
        static = [(url, headers) for url, headers, _ in first if "/static/" in url]
        assert static
        for url, headers in static:
            assert "immutable" in headers["cache-control"] and "?v=" in url, url
            assert headers.get("content-encoding") or int(headers.get("content-length", 0)) < 1500, (url, headers)
        # scripts: what decides about colours before anything is painted, and nothing else, holds painting up
        blocking = driver.execute_script("""
            return performance.getEntriesByType("resource").filter((entry) => entry.renderBlockingStatus === "blocking")
              .map((entry) => [new URL(entry.name).pathname.split("/").pop(), entry.encodedBodySize])""")
        assert sorted(name for name, _ in blocking) == ["style.css", "theme.js"], blocking
        assert dict(blocking)["theme.js"] < 1500
        driver.get(shared_site + path)
        settled(driver)
        again = [url for url, _, size in responses(driver) if size > 0 and "/static/" in url]
        assert not again, "taken from the cache"


def test_ui_186_ui_211_no_script_but_the_hubs_own_runs():
    """An operator's announcement with markup is shown; a script in it, or one that somebody got into the page, does not run."""
    announcement = '<em id=ours>Soon</em><script>document.title = "broken into"</script><img src=x onerror="document.title = 1">'
    config = CONFIG.replace('announcement_home = "', "announcement_home = '''").replace('Save your work before."', f"{announcement}'''")
    with hub("", config) as url, chromium() as driver:
        page = Page(url, driver, Person(url, "ada"))
        page.open()
        assert page.find(".announcement #ours").text == "Soon"
        driver.execute_script("""
            const script = document.createElement("script");
            script.textContent = "document.title = 'broken into'";
            document.body.append(script);
            const sheet = document.createElement("style");
            sheet.textContent = "body { display: none }";
            document.body.append(sheet);
            document.body.insertAdjacentHTML("beforeend", "<a id=evil href='javascript:document.title=1'>x</a>");
            document.getElementById("evil").click();""")
        page.until(lambda: len([e for e in driver.get_log("browser") if "Content Security Policy" in e["message"]]) > 0)
        assert driver.title == "Home · Orrery" and page.find("body").is_displayed()
        driver.get("about:blank")


def test_ui_187_drawings_are_part_of_the_page(played, shared_driver):
    """Icons are drawn in the page: no font is fetched, and each icon is hidden from screen readers, for words say the same."""
    for name in visits(played, shared_driver, names=["login", "home", "progress", "token", "admin"]):
        fetched = shared_driver.execute_script("return performance.getEntriesByType('resource').map(({name}) => name)")
        assert not [url for url in fetched if url.split("?")[0].endswith((".woff", ".woff2", ".ttf", ".otf"))], name
        assert shared_driver.execute_script("return document.fonts.size") == 0
        icons = shared_driver.execute_script(
            "return [...document.querySelectorAll('svg')].map((icon) => [icon.getAttribute('aria-hidden'), icon.querySelectorAll('path, circle, rect').length])")
        assert icons and all(hidden == "true" and parts > 0 for hidden, parts in icons), (name, icons)


def test_ui_188_a_site_has_its_own_logo_templates_and_files(shared_driver):
    """The example of a site (etc/templates) and another logo: they are on the pages, which work as before."""
    config = CONFIG.replace("hub.ui.template_vars = {", f"""
hub.ui.template_paths = ["{ROOT}/etc/templates"]
hub.ui.logo_file = "{ROOT}/src/web/static/favicon.svg"
hub.ui.template_vars = {{ hub_name = "Physics", help_url = "https://help.example/jupyter", help_phone = "4711", """)
    with hub("", config) as url:
        page = Page(url, shared_driver, None)
        page.open("/hub/login")
        assert "4711" in page.find("body").text and page.driver.title.endswith("· Physics")
        assert page.driver.execute_script("return document.querySelector('.brand img').naturalWidth") > 0
        become(shared_driver, url, Person(url, "x" + secrets.token_hex(4)))
        page.open()
        assert page.find("#navbar-menu a[href='https://help.example/jupyter']").is_displayed()
        page.find("#new-server-name").send_keys("lab\n")
        page.until(lambda: page.all("[data-server-name=lab]"))
        page.driver.get("about:blank")
