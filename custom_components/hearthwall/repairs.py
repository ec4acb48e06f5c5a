"""Ways out of what is wrong with a gateway, for Home Assistant's repairs."""

from typing import Final, override

import voluptuous as vol
from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .bpf.hearthwall_sensor.protocol import Feed, SensorError
from .bpf.hearthwall_sensor.requests import DiscardDamaged, RefreshFeed, RemoveFeed
from .const import DOMAIN
from .health import async_ask, async_missing_parts
from .hostile import plain
from .hub import HearthwallConfigEntry, Hub
from .issues import ISSUE_FAILING, ISSUE_OVERLAPS, ISSUE_STATE_DAMAGED
from .problems import (
    ISSUE_CLOCK_WRONG,
    ISSUE_INTERFACE_GONE,
    ISSUE_NEWER,
    ISSUE_NOT_RUNNING,
    ISSUE_OLDER,
    ISSUE_PART_MISSING,
    ISSUE_POLICY_UNREADABLE,
    ISSUE_UNREACHABLE,
    Look,
    status_problems,
)


class _Flow(RepairsFlow):
    """A flow that knows its gateway, and shows what the issue says."""

    def __init__(self, entry: HearthwallConfigEntry, subject: str) -> None:
        """Take the gateway's entry, and which of several things it is about."""
        self.entry = entry
        self.subject = subject

    @property
    def hub(self) -> Hub:
        """Return the gateway; raises SensorError `not_running` if it is not set up."""
        if self.entry.state is not ConfigEntryState.LOADED:
            raise SensorError("not_running")
        return self.entry.runtime_data

    def said(self, **more: str) -> dict[str, str]:
        """Return the issue's placeholders, some of them renewed."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        return {**((issue and issue.translation_placeholders) or {}), **more}

    def refused(self, error: SensorError | None, **more: str) -> RepairsFlowResult:
        """Show the step again with what stands in the way: an error, or that it is as it was."""
        return self.async_show_form(
            step_id="confirm",
            data_schema=vol.Schema({}),
            errors={"base": "still_there" if error is None else "failed"},
            description_placeholders=self.said(
                error="" if error is None else plain(error.message), **more
            ),
        )

    def done(self) -> RepairsFlowResult:
        """End with the issue gone."""
        return self.async_create_entry(data={})


class _ConfirmFlow(_Flow):
    """Does one thing when its user says so, and looks whether that mended it."""

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Say what will be done, and do it."""
        if user_input is None:
            return self.async_show_form(
                step_id="confirm",
                data_schema=vol.Schema({}),
                description_placeholders=self.said(error=""),
            )
        try:
            return await self.mend()
        except SensorError as error:
            return self.refused(error)

    async def mend(self) -> RepairsFlowResult:
        """Mend it, or show why it is not; raises SensorError."""
        raise NotImplementedError


class StartFlow(_ConfirmFlow):
    """Sets the gateway up again, which starts a sensor of ours and connects to any."""

    @override
    async def mend(self) -> RepairsFlowResult:
        """Reload the entry."""
        was_set_up = self.entry.state is ConfigEntryState.LOADED
        await self.hass.config_entries.async_reload(self.entry.entry_id)
        if self.entry.state is ConfigEntryState.LOADED:
            return self.done()
        # What has failed before is what the issue says, renewed by this attempt.
        reason = self.entry.reason if was_set_up else None
        return self.refused(SensorError("not_running", reason) if reason else None)


class PartsFlow(StartFlow):
    """Looks again for what was missing on this host before the sensor is started."""

    @override
    async def mend(self) -> RepairsFlowResult:
        """Check, then reload the entry."""
        if parts := await async_missing_parts():
            return self.refused(None, parts=parts)
        return await super().mend()


class VersionFlow(StartFlow):
    """Connects again, to see whether both sides fit by now."""

    @override
    async def mend(self) -> RepairsFlowResult:
        """Reload the entry, and compare."""
        mended = await super().mend()
        if self.entry.state is ConfigEntryState.LOADED and not await _is_gone(self):
            return self.refused(None)
        return mended


class LookFlow(_ConfirmFlow):
    """Looks again at what only somebody at the gateway can mend."""

    @override
    async def mend(self) -> RepairsFlowResult:
        """Ask the sensor."""
        return self.done() if await _is_gone(self) else self.refused(None)


class DiscardFlow(_ConfirmFlow):
    """Lets damaged files go."""

    @override
    async def mend(self) -> RepairsFlowResult:
        """Order it."""
        await self.hub.call(DiscardDamaged())
        await async_ask(self.hub)
        return self.done()


class FeedFlow(_Flow):
    """Reads a list again, or does without it."""

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Say what is wrong, and offer what can be done."""
        return self.async_show_menu(
            menu_options=["refresh", "remove", "ignore"], description_placeholders=self.said()
        )

    async def async_step_refresh(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Read the list now."""
        try:
            feed = Feed.from_wire(await self.hub.call(RefreshFeed(self.subject)))
        except SensorError as error:
            return self.stopped(error)
        if feed.last_error is not None:
            return self.stopped(SensorError("feed_failed", feed.last_error))
        if feed.subtracted and ISSUE_OVERLAPS in self.issue_id:
            return self.async_abort(
                reason="still_overlaps",
                description_placeholders=self.said(count=str(feed.subtracted)),
            )
        return self.done()

    async def async_step_remove(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Remove the feed, once its user has said so twice."""
        if user_input is None:
            return self.async_show_form(
                step_id="remove",
                data_schema=vol.Schema({}),
                description_placeholders=self.said(error=""),
            )
        try:
            await self.hub.call(RemoveFeed(self.subject))
        except SensorError as error:
            if error.code != "not_found":  # somebody else has removed it
                return self.stopped(error)
        return self.done()

    async def async_step_ignore(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Leave everything as it is, and say no more of it."""
        ir.async_ignore_issue(self.hass, DOMAIN, self.issue_id, True)
        return self.async_abort(reason="ignored", description_placeholders=self.said())

    def stopped(self, error: SensorError) -> RepairsFlowResult:
        """End with the issue still there."""
        return self.async_abort(
            reason="failed", description_placeholders=self.said(error=plain(error.message))
        )


async def _is_gone(flow: _Flow) -> bool:
    """Tell whether a fresh status shows a flow's problem no more; raises SensorError."""
    status, offset = await async_ask(flow.hub)
    key = flow.data and flow.data["key"]
    present = status_problems(Look(flow.entry, status, offset))
    return not any((each.key, each.subject) == (key, flow.subject) for each in present)


_FLOWS: Final[dict[str, type[_Flow]]] = {
    ISSUE_NOT_RUNNING: StartFlow,
    ISSUE_UNREACHABLE: StartFlow,
    ISSUE_PART_MISSING: PartsFlow,
    ISSUE_OLDER: VersionFlow,
    ISSUE_NEWER: VersionFlow,
    ISSUE_INTERFACE_GONE: LookFlow,
    ISSUE_STATE_DAMAGED: DiscardFlow,
    ISSUE_CLOCK_WRONG: LookFlow,
    ISSUE_POLICY_UNREADABLE: LookFlow,
    ISSUE_FAILING: FeedFlow,
    ISSUE_OVERLAPS: FeedFlow,
}


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow that mends an issue."""
    if data is None:
        return ConfirmRepairFlow()
    entry = hass.config_entries.async_get_entry(str(data["entry_id"]))
    flow = _FLOWS.get(str(data["key"]))
    if entry is None or flow is None:
        return ConfirmRepairFlow()
    return flow(entry, str(data["subject"]))
