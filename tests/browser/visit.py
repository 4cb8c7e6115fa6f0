"""A browser in which somebody is signed in, for journeys."""
import os

from selenium.webdriver.common.by import By

from scenes import become, look, settled, wait_until

PATIENCE = float(os.environ.get("PATIENCE", 60))  # seconds until a journey counts as stuck


class Visit:
    """What journeys do on every page; `HOME` is where they begin."""

    HOME = "/hub/home"

    def __init__(self, site, driver, person):
        self.site, self.driver, self.person, self.name = site, driver, person, person.name if person else ""
        look(driver, 1280)
        become(driver, site, person)

    def open(self, path=None):
        self.driver.get(self.site + (path or self.HOME))
        settled(self.driver)

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def until(self, holds, what=""):
        """Waits; pages that are just being drawn anew have nothing for a moment."""
        def safe():
            try:
                return holds()
            except Exception:  # noqa: BLE001 - stale or missing: look again
                return False
        wait_until(safe, PATIENCE, lambda: what + "\n" + self.find("body").text[:2000])
