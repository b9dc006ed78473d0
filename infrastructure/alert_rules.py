"""The file of alert rules: a data folder's changes to the default rules, in TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path

from sagaledger.domain.housekeeping.alerts import DEFAULT_RULES, AlertRules, rules_from
from sagaledger.domain.housekeeping.errors import AlertRulesError

__all__ = ["read_alert_rules"]


def read_alert_rules(path: Path) -> AlertRules:
    """The rules from a file; the default rules if the file does not exist.

    Raises:
        AlertRulesError: the file cannot be read or is invalid.
    """
    try:
        with path.open("rb") as file:
            changes = tomllib.load(file)
    except FileNotFoundError:
        return DEFAULT_RULES
    except OSError as error:
        raise AlertRulesError(f"{path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AlertRulesError(f"{path}: {error}") from error
    try:
        return rules_from(changes)
    except AlertRulesError as error:
        raise AlertRulesError(f"{path}: {error}") from error
