"""Settings into one policy. The only place of this app that reads settings' limits."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from gate.core.heatfile import HeatFile
from gate.core.lockfile import HeavyLock
from gate.core.policy import GatePolicy

__all__ = ["black_box_dir", "gate_policy", "heat_file", "heavy_lock", "host_id", "lock_path", "log_dir"]


def gate_policy() -> GatePolicy:
    """Raises PolicyError when the limits contradict each other."""
    return GatePolicy(
        margin_bytes=settings.GATE_MARGIN_BYTES,
        trip_celsius=settings.GATE_TRIP_CELSIUS,
        reset_celsius=settings.GATE_RESET_CELSIUS,
        watched_programs=settings.GATE_WATCHED_PROGRAMS,
        activity_warn_bytes=settings.GATE_ACTIVITY_WARN_BYTES,
        activity_high_bytes=settings.GATE_ACTIVITY_HIGH_BYTES,
        pinned_sensor=settings.GATE_PINNED_SENSOR,
        ignored_sensors=settings.GATE_IGNORED_SENSORS,
        end_celsius=settings.GATE_END_CELSIUS,
        end_available_bytes=settings.GATE_END_AVAILABLE_BYTES,
        pause_limit_seconds=settings.GATE_PAUSE_LIMIT_SECONDS,
        rest_celsius=settings.GATE_REST_CELSIUS,
        end_pressure_percent=settings.GATE_END_PRESSURE_PERCENT,
    )


def lock_path() -> Path:
    return Path(settings.GATE_LOCK_PATH)


def black_box_dir() -> Path:
    """Where the sampler's black box lies, for its owner only."""
    path = Path(settings.DATA_DIR) / "blackbox"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def log_dir() -> Path:
    return Path(settings.LOG_DIR)


def host_id() -> str:
    return str(settings.HOST_ID)


def heat_file() -> HeatFile:
    return HeatFile(lock_path())


def heavy_lock() -> HeavyLock:
    return HeavyLock(lock_path(), host=host_id(), hung_after_seconds=gate_policy().hung_after_seconds)
