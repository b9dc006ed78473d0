"""Alert rules are data: a file changes the defaults, and what is wrong in it is named."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from sagaledger.domain.housekeeping.alerts import (
    DEFAULT_RULES,
    AlertRule,
    RuleSetting,
    Severity,
    rules_from,
    stored_rules,
)
from sagaledger.domain.housekeeping.errors import AlertRulesError
from sagaledger.infrastructure.alert_rules import read_alert_rules
from sagaledger.interface.cli.command_group import command_group

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def test_every_rule_has_a_default() -> None:
    assert set(DEFAULT_RULES) == set(AlertRule)
    assert DEFAULT_RULES[AlertRule.ROLLBACK_FAILED].severity is Severity.CRITICAL
    assert DEFAULT_RULES[AlertRule.PARTIAL_ROLLBACK].severity is Severity.WARNING


def test_every_rule_is_in_the_runbook_with_its_limits() -> None:
    page = OPERATIONS.read_text()

    for rule, setting in DEFAULT_RULES.items():
        assert f"\n### `{rule}`\n" in page
        section = " ".join(page.split(f"\n### `{rule}`\n")[1].split("\n### ")[0].split())
        assert "**Means**" in section
        assert "**Look at**" in section
        assert "**Run**" in section
        for limit in setting.limits:
            assert f"`{limit}`" in section


def test_every_command_of_the_runbook_exists() -> None:
    named = set(re.findall(r"`sagaledger ([a-z]+)", OPERATIONS.read_text()))

    assert named
    assert named <= set(command_group.list_commands(click.Context(command_group)))


def test_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "alerts.toml"
    file.write_text(
        '[saga_stuck]\nolder_than_s = 60\nseverity = "critical"\n[rollback_rate]\nenabled = false\n'
    )

    rules = read_alert_rules(file)

    assert rules[AlertRule.SAGA_STUCK] == RuleSetting(Severity.CRITICAL, {"older_than_s": 60.0})
    assert AlertRule.ROLLBACK_RATE not in rules
    untouched = set(AlertRule) - {AlertRule.SAGA_STUCK, AlertRule.ROLLBACK_RATE}
    assert {rule: rules[rule] for rule in untouched} == {r: DEFAULT_RULES[r] for r in untouched}
    assert "rollback_rate" not in stored_rules(rules)
    assert stored_rules(rules)["saga_stuck"] == {"severity": "critical", "older_than_s": 60.0}


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    assert read_alert_rules(tmp_path / "alerts.toml") == DEFAULT_RULES
    assert rules_from({}) == DEFAULT_RULES


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[nothing]\n", "no rule 'nothing'; there are disk_nearly_full, "),
        ("saga_stuck = 5\n", "[saga_stuck] must be a table"),
        ("[saga_stuck]\nolder = 5\n", "[saga_stuck] older = 5: it takes enabled = true or false"),
        ("[saga_stuck]\nolder_than_s = -1\n", "older_than_s = -1: it takes a number of 0 or more"),
        ("[saga_stuck]\nolder_than_s = nan\n", "it takes a number of 0 or more"),
        ("[saga_stuck]\nolder_than_s = true\n", "it takes a number of 0 or more"),
        (f"[saga_stuck]\nolder_than_s = {10**400}\n", "it takes a number of 0 or more"),
        ('[saga_stuck]\nseverity = "loud"\n', "severity = 'loud': it takes "),
        ("[saga_stuck]\nenabled = 1\n", "enabled = 1: it takes "),
        ("[saga_stuck\n", "line 1"),
    ],
)
def test_file_that_is_no_use_is_refused_with_its_name_and_what_is_wrong(
    tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "alerts.toml"
    file.write_text(text)

    with pytest.raises(AlertRulesError) as refused:
        read_alert_rules(file)

    assert str(refused.value).startswith(f"{file}: ")
    assert told in str(refused.value)


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "alerts.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(AlertRulesError):
        read_alert_rules(tmp_path / "alerts.toml")
    with pytest.raises(AlertRulesError):
        read_alert_rules(tmp_path)
