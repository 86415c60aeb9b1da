"""The status on one line, for people and for shell scripts."""

from bse_monitor.loops.observe import View
from bse_monitor.rules.status import FeedVerdict, Health, ServiceStatus
from bse_monitor.rules.words import span


def summary_line(view: View) -> str:
    """`ok  fetcher 1/1  gateway 2/2  ws-hub 1/1  feed ok 1.2 s old`, and what is wrong, if anything is."""
    status = view.status
    words = [status.health.value]
    if status.store.health is not Health.OK:
        words.append(f"store {status.store.health.value}")
    words += [_service(service) for service in status.services if service.wanted]
    words.append(_feed(status.feed, view.age_ms))
    if status.reasons:
        more = len(status.reasons) - 1
        tail = f" (and {more} more)" if more else ""
        words.append(f"because {status.reasons[0]}{tail}")
    return "  ".join(words)


def _service(service: ServiceStatus) -> str:
    return f"{service.name} {service.up}/{max(service.wanted, service.present)}"


def _feed(feed: FeedVerdict, view_age_ms: float) -> str:
    if feed.age_ms is None:
        return f"feed {feed.state.value}"
    return f"feed {feed.state.value} {span(feed.age_ms + view_age_ms)} old"
