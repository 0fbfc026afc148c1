"""The report in a real browser: opened, filtered, squares and cases opened, links shared."""

from __future__ import annotations

import re
import time

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from wsgi_matrix.reports import summary

from tests.browser import made_up

SQUARES = ".grid a.square"
VIEWS = (
    "view=grid",
    "view=rules",
    "view=charts",
    "view=about",
    "view=cell&cell=gunicorn-conformance-default-py311",
    "view=rule&rule=contract/exchange-3",
)


@pytest.fixture
def small(browser, reports):
    """The small report, open."""
    browser.opened(reports("small").as_uri())
    return browser


def test_it_opens_without_an_error_and_asks_for_nothing(browser, reports):
    address = reports("small").as_uri()
    for view in VIEWS:
        browser.opened(f"{address}#{view}")
        assert browser.one("h1").text == summary(made_up.small())
    assert browser.errors() == []
    asked = {url.partition("#")[0] for url in browser.requests()}
    assert asked <= {address, "about:blank"}


def test_its_policy_lets_nothing_be_fetched(small):
    small.script("new Image().src = 'http://127.0.0.1:9/x.png'")
    small.wait(lambda: any("Content Security Policy" in line for line in small.errors()))


def test_every_square_says_its_outcome_in_a_word_and_a_mark(small):
    run = made_up.small()
    squares = small.all(SQUARES)
    assert len(squares) == len(run.cells)
    assert sorted(square.text.split()[1] for square in squares) == sorted(
        result.outcome.value for result in run.cells
    )
    assert {square.text.split()[0] for square in squares} <= set("✔✘≠!x–")


def test_filters_by_server_app_level_outcome_and_suite_leave_what_they_name(small):
    def choose(name, value):
        before = small.count(SQUARES)
        Select(small.one(f"select[name={name}]")).select_by_visible_text(value)
        small.wait(lambda: small.count(SQUARES) != before)

    choose("suite", "contract")
    assert small.count(SQUARES) == 6
    choose("server", "gunicorn")
    assert small.count(SQUARES) == 3
    choose("app", "wsgi")
    assert [square.text.split()[1] for square in small.all(SQUARES)] == ["differ"]
    Select(small.one("select[name=level]")).select_by_visible_text("MUST")
    small.wait(lambda: small.one(SQUARES).text.split()[1] == "pass")
    small.one(".chip.o-fail").click()
    small.wait(lambda: small.count(SQUARES) == 0)
    assert small.one(".none").text == "Nothing matches these filters."
    small.one("button[type=reset]").click()
    small.wait(lambda: small.count(SQUARES) == len(made_up.small().cells))


def test_search_leaves_the_cells_that_have_such_a_case(small):
    small.one("input[type=search]").send_keys("rule 7: colon")
    small.wait(lambda: small.count(SQUARES) == 3)
    assert "q=rule+7" in small.driver.current_url


def test_a_square_opens_its_cases_and_a_case_its_rule_and_the_marked_octets(small):
    cell = next(c for c in made_up.small().cells if c.cell.id.startswith("gunicorn-conformance"))
    red = [check for check in cell.checks if check.outcome in ("fail", "differ")]
    link = f".square[href*='cell={cell.cell.id}&'], .square[href$='cell={cell.cell.id}']"
    small.one(link).click()
    assert small.one("main h2").text.endswith(cell.cell.id)
    assert small.count("details.case") == len(cell.checks)
    case = small.one(f"details[data-case={red[0].id}]")
    case.find_element(By.TAG_NAME, "summary").click()
    body = small.one(f"details[data-case={red[0].id}] .body")
    assert red[0].says in body.text
    assert red[0].cite in body.text
    assert red[0].detail.split("\n")[0] in body.text
    assert Select(body.find_element(By.TAG_NAME, "select")).first_selected_option.text == (
        "onegate-conformance-default-py311"
    )
    sides = body.find_elements(By.CLASS_NAME, "side")
    marked = [
        [mark.text for mark in side.find_elements(By.CSS_SELECTOR, ".received mark")]
        for side in sides
    ]
    assert marked == [["200 OK", "gunicorn"], ["400 Bad Request", "onegate"]]
    assert not body.find_elements(By.CSS_SELECTOR, ".sent mark")
    assert "first differ at 9 (0x9)" in body.text
    assert [line.text for line in sides[0].find_elements(By.CSS_SELECTOR, ".what strong")] == [
        "sent",
        "received",
        "the expected data did not arrive in time",
    ]
    assert r"\r\n" in sides[0].text
    body.find_element(By.CSS_SELECTOR, "input[type=checkbox]").click()
    assert small.one(".received mark").text == "32"  # 0x32, the 2 of 200


def test_a_shared_link_shows_the_same_in_another_page(small, reports):
    cell = "gunicorn-bottle-default-py311-contract"
    address = f"{reports('small').as_uri()}#view=cell&cell={cell}&outcome=differ&level=MAY&q=get"
    small.opened(address)
    case = small.one("details.case")
    name = case.get_attribute("data-case")
    case.find_element(By.TAG_NAME, "summary").click()
    small.wait(lambda: f"case={name.replace(':', '%3A')}" in small.driver.current_url)
    other = "gunicorn-falcon-default-py311-contract"
    Select(small.one(".exchange select")).select_by_visible_text(other)
    small.wait(lambda: f"compare={other}" in small.driver.current_url)
    shared, shown = small.driver.current_url, small.one("main").text
    small.driver.switch_to.new_window("tab")
    try:
        small.opened(shared)
        small.wait(lambda: small.all("details[open] .exchange mark"))
        assert small.one("main").text == shown
        assert small.all(".side h5")[1].text == other
        assert Select(small.one("select[name=level]")).first_selected_option.text == "MAY"
        assert small.one("input[type=search]").get_attribute("value") == "get"
    finally:
        small.driver.close()
        small.driver.switch_to.window(small.driver.window_handles[0])


def test_a_link_to_what_is_not_there_says_so(browser, reports):
    browser.opened(reports("small").as_uri() + "#view=cell&cell=<b>gone</b>&outcome=x,fail")
    assert browser.one("main h2").text == "This run has no such cell"
    assert "<b>gone</b>" in browser.one("main").text


def test_by_rule_has_rules_down_and_servers_across(browser, reports):
    browser.opened(reports("small").as_uri() + "#view=rules&suite=conformance")
    heads = browser.all(".rules thead th")
    assert [head.text for head in heads] == ["onegate", "gunicorn", "uwsgi"]
    assert len(browser.all(".rules tbody tr")) == 12
    broken = browser.one(".rules .o-fail, .rules .o-differ")
    server = broken.get_attribute("title").partition(":")[0]
    rule = broken.get_attribute("aria-label").partition(",")[0]
    broken.click()
    assert browser.one("main h2").text == rule
    cases = browser.all("details.case")
    assert [case.get_attribute("data-case") for case in cases] == [
        f"{server}-conformance-default-py311"
    ]
    assert browser.one("details[open] .received mark").text == "200 OK"


def test_the_keyboard_alone_gets_to_the_octets_and_back(small):
    def press(*keys):
        small.driver.switch_to.active_element.send_keys(*keys)

    def focused():
        return small.driver.switch_to.active_element

    small.script("document.body.focus()")
    small.one("body").send_keys(Keys.TAB)
    assert focused().text == "Skip to the results"
    press(Keys.ENTER)
    press(Keys.TAB)
    first = focused()
    assert "square" in first.get_attribute("class")
    press(Keys.ARROW_RIGHT)
    press(Keys.ARROW_DOWN)
    assert focused() != first
    wanted = focused().get_attribute("href").partition("cell=")[2]
    press(Keys.ENTER)
    small.wait(lambda: focused().tag_name == "h2" and wanted in focused().text)
    press(Keys.TAB)
    assert focused().tag_name == "summary"
    press(Keys.ENTER)
    small.wait(lambda: small.all("details[open] .octets"))
    small.driver.back()
    small.wait(lambda: small.all(SQUARES))


def test_what_a_server_sent_is_text_whatever_it_is(browser, reports):
    cell = next(c for c in made_up.small().cells if c.cell.suite == "hello" and c.outcome == "fail")
    browser.opened(f"{reports('small').as_uri()}#view=cell&cell={cell.cell.id}&case=hello-response")
    received = browser.one(".received .octets").text
    assert "</script><script>document.title='owned'</script>" in received
    assert r"\x00\xff\xfe\xc3( {{7*7}} & &amp; \x1b[31m" in received
    assert "\"'><img src=x onerror=alert(1)>" in received
    assert "</script><b>because</b>" in browser.one(".detail").text
    assert browser.driver.title.startswith("wsgi-matrix: ")
    assert not browser.driver.find_elements(By.CSS_SELECTOR, "img, main b")
    assert browser.errors() == []


def test_it_prints_what_is_shown_without_the_controls(small):
    small.emulate("print", prefers_color_scheme="dark")
    assert small.all(SQUARES)
    assert small.all(".legend")
    assert not small.all("nav, form, button, .hint")
    assert small.script("return getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )


def test_it_is_light_or_dark_as_the_reader_likes(small):
    shades = []
    for scheme in ("light", "dark"):
        small.emulate(prefers_color_scheme=scheme)
        colour = small.script("return getComputedStyle(document.body).backgroundColor")
        shades.append(sum(map(int, re.findall(r"\d+", colour))))
    assert shades[0] > 600
    assert shades[1] < 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_serious(browser, reports, axe, view, scheme):
    browser.emulate(prefers_color_scheme=scheme)
    browser.opened(f"{reports('small').as_uri()}#{view}")
    for summary_ in browser.all("details.case > summary")[:2]:
        summary_.click()
    browser.script(axe)
    found = browser.driver.execute_async_script(
        "const done = arguments[0];"
        "axe.run().then((results) => done(results), (problem) => done(String(problem)));"
    )
    assert found["passes"], found
    bad = [
        (each["id"], [node["html"] for node in each["nodes"]][:3])
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]
    assert bad == []


def test_the_full_grid_is_below_two_megabytes_and_whole(browser, reports):
    path = reports("full_grid")
    assert path.stat().st_size < 2_000_000
    run = made_up.full_grid()
    browser.opened(path.as_uri())
    assert browser.count(SQUARES) == len(run.cells) == 14 * 6 + 14
    browser.opened(f"{path.as_uri()}#view=about")
    assert "At most 4096 octets" in browser.one("main").text


def test_a_thousand_cells_are_still_usable(browser, reports):
    """Ten times as many cells take no more than ten times as long."""

    def seconds(name, squares):
        started = time.monotonic()
        browser.opened(reports(name).as_uri())
        opened = time.monotonic() - started
        assert browser.count(SQUARES) == squares
        started = time.monotonic()
        browser.one(".chip.o-fail").click()
        browser.wait(lambda: 0 < browser.count(SQUARES) < squares)
        return opened, time.monotonic() - started

    # The shortest of some: what others on the machine add to it is not the report's.
    few = [seconds("full_grid", 14 * 6 + 14) for _ in range(3)]
    many = [seconds("many", 1000) for _ in range(3)]
    for part, what in enumerate(("opened", "filtered")):
        small, large = (min(each[part] for each in runs) for runs in (few, many))
        print(f"{what}: 98 cells in {small:.3f} s, 1,000 in {large:.3f} s")
        assert large < 10 * small
