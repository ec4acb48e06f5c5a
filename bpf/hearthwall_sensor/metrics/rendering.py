"""Has Prometheus' own library write the metrics; it is mapped with the first scrape."""

from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Metric, exposition
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from .family import Family, Measured, Sample

#: Letters of a label's value.
_LONGEST_LABEL: Final = 128


class _Measured(Collector):
    """What the library asks for metrics."""

    def __init__(self, measured: Measured) -> None:
        """Take the values."""
        self._measured = measured

    def collect(self) -> Iterator[Metric]:
        """Yield the families as the library knows them."""
        for family, samples in self._measured:
            yield _metric(family, samples[: family.series])


def rendered(measured: Measured, *, is_openmetrics: bool) -> bytes:
    """Return the text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Measured(measured))
    write = openmetrics.generate_latest if is_openmetrics else exposition.generate_latest
    return bytes(write(registry))


def _metric(family: Family, samples: Iterable[Sample]) -> Metric:
    """Return one family as the library knows it."""
    if family.type == "info":
        info = InfoMetricFamily(family.name, family.help, labels=family.labels)
        for labels, _ in samples:
            info.add_metric(_clean(labels), {})
        return info
    kind = CounterMetricFamily if family.type == "counter" else GaugeMetricFamily
    metric = kind(family.name, family.help, labels=family.labels, unit=family.unit)
    for labels, value in samples:
        metric.add_metric(_clean(labels), value)
    return metric


def _clean(labels: Iterable[str]) -> list[str]:
    """Return labels' values that can be written: a name of an interface may hold any bytes."""
    return [each[:_LONGEST_LABEL].encode(errors="replace").decode() for each in labels]
