"""From a recipe to verl's whole configuration, and whether verl would take it.

    config = compose(recipe.overrides(data, run_dir, seed=0))
    check(config)                     # raises UsageError before any GPU is asked for

The defaults are the installed verl's own (`verl/trainer/config/ppo_trainer.yaml`), so a name that
it does not have is found here. Needs verl, but no GPU, no Ray and no model.
"""

# pyright: reportMissingImports=false
# (verl is an extra: types are checked without it as well)

from __future__ import annotations

import dataclasses
import difflib
import importlib.util
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

from telejudge_envs.errors import MissingExtraError, UsageError
from telejudge_judges.registry import judge_names
from telejudge_judges.settings import make_settings
from telejudge_training.verl_backend.settings import LOOP_NAME, loop_settings

if TYPE_CHECKING:
    from omegaconf import DictConfig

RECORDS = ("actor_rollout_ref.actor", "actor_rollout_ref.rollout", "algorithm")
"""Parts of which verl makes records as they are, with checks of its own in them. Of others it picks
what it wants (the reference, the profiler), or it loads the model first."""


def compose(overrides: Mapping[str, Any]) -> DictConfig:
    """verl's defaults with `overrides` on them, by dotted names.

    Raises UsageError for a name that verl does not have (unless it begins with `+`), or that it
    has although it begins with `+`.
    """
    try:
        from hydra import compose as compose_defaults
        from hydra import initialize_config_module
        from omegaconf import OmegaConf
    except ImportError as error:
        raise MissingExtraError("verl", "verl") from error
    with _quiet():
        try:
            with initialize_config_module("verl.trainer.config", version_base=None):
                config = compose_defaults("ppo_trainer")
        except ImportError as error:
            raise MissingExtraError("verl", "verl") from error
    for name, value in overrides.items():
        _set(OmegaConf, config, name, value)
    return config


def _set(omega: Any, config: DictConfig, name: str, value: Any) -> None:
    adds, dotted = name.startswith("+"), name.lstrip("+")
    known = _known(config, dotted)
    if known and adds:
        raise UsageError(f"verl has the setting {dotted}: leave out the +")
    if not known and not adds:
        close = difflib.get_close_matches(dotted, _names(config), n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise UsageError(f"verl has no setting {dotted}{hint}; one that is to be added needs a +")
    try:
        omega.update(config, dotted, value, merge=False, force_add=adds)
    except Exception as error:  # omegaconf: a value of the wrong kind, a place that is no mapping
        raise UsageError(f"verl's setting {dotted} cannot be {value!r}: {error}") from error


def _known(config: Any, dotted: str) -> bool:
    here = config
    for part in dotted.split("."):
        if not hasattr(here, "keys") or part not in here.keys():  # noqa: SIM118 (missing values)
            return False
        here = here._get_node(part)
    return True


def _names(config: Any, prefix: str = "") -> Iterator[str]:
    for key in config:
        node = config._get_node(key)
        yield f"{prefix}{key}"
        if hasattr(node, "keys") and not node._is_none() and not node._is_interpolation():
            yield from _names(node, f"{prefix}{key}.")


def check(config: DictConfig) -> list[str]:
    """Make every record that verl would make of `config` and run verl's own checks; returns what
    was looked at. Raises UsageError with verl's objection."""
    from omegaconf import OmegaConf

    looked = _check_ours(config)
    resolved: Any = OmegaConf.create(OmegaConf.to_yaml(config))
    try:
        OmegaConf.resolve(resolved)
    except Exception as error:
        raise UsageError(f"verl's configuration does not resolve: {error}") from error
    with _quiet():
        looked += _check_records(resolved)
        _check_as_a_whole(resolved)
    return [*looked, "verl.utils.config.validate_config"]


def _check_ours(config: DictConfig) -> list[str]:
    """The part that is ours, and the parts of verl's that it rests on."""
    loop = loop_settings(config.actor_rollout_ref.rollout.get("custom"))
    judge = make_settings(loop.judge, "rollout.custom.telejudge.judge")
    if judge.judge not in judge_names():
        raise UsageError(f"no judge '{judge.judge}'; known judges: {', '.join(judge_names())}")
    if "api_key" in loop.judge:
        raise UsageError("verl prints its configuration: set TELEJUDGE_API_KEY, not judge.api_key")
    rollout, training = config.actor_rollout_ref.rollout, config.trainer
    for name, found, wanted in (
        ("trainer.use_v1", training.use_v1, True),
        ("actor_rollout_ref.rollout.agent.default_agent_loop", _loop_of(rollout), LOOP_NAME),
        ("actor_rollout_ref.rollout.calculate_log_probs", rollout.calculate_log_probs, True),
    ):
        if found != wanted:
            raise UsageError(f"{name} is {found}, and telejudge's agent loop needs {wanted}")
    if rollout.n < 2:
        raise UsageError("actor_rollout_ref.rollout.n is a group's size: at least 2")
    return ["rollout.custom.telejudge", f"judge {judge.judge}"]


def _loop_of(rollout: Any) -> str:
    return rollout.agent.default_agent_loop


def _check_records(config: Any) -> list[str]:
    from omegaconf import OmegaConf
    from verl.utils.config import omega_conf_to_dataclass

    for name in RECORDS:
        try:
            omega_conf_to_dataclass(OmegaConf.select(config, name))
        except Exception as error:
            raise UsageError(f"verl refuses {name}: {_cause(error)}") from error
    _check_model(config.actor_rollout_ref.model)
    return [*RECORDS, "actor_rollout_ref.model"]


def _check_model(node: Any) -> None:
    """By its names only: making the record would load the model's tokenizer."""
    from verl.workers.config import HFModelConfig

    fields = {field.name for field in dataclasses.fields(HFModelConfig)} | {"_target_"}
    unknown = sorted(set(node) - fields)
    if unknown:
        raise UsageError(f"verl's actor_rollout_ref.model has no setting {', '.join(unknown)}")


def _check_as_a_whole(config: Any) -> None:
    from verl.trainer.ppo.core_algos import get_adv_estimator_fn
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import validate_config

    import telejudge_training.verl_backend.plugin  # noqa: F401  (registers the estimators)

    if importlib.util.find_spec("vllm") is None:  # verl would ask it how large an adapter may be
        config.actor_rollout_ref.rollout.name = "not installed here"
    try:
        get_adv_estimator_fn(config.algorithm.adv_estimator)
        validate_config(
            config=config,
            use_reference_policy=need_reference_policy(config),
            use_critic=need_critic(config),
        )
    except Exception as error:
        raise UsageError(f"verl refuses the configuration: {_cause(error)}") from error


def _cause(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip() or type(error).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """verl says on import which engines are not installed, and later that all is well."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with redirect_stdout(StringIO()):
            yield
