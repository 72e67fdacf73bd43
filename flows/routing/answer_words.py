"""Answers as pages show them: their sentences, their marks, and the paths to draw."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from django.urls import reverse

from flows.checks.planned_flows import is_planned_sid
from flows.mirror.targets import TargetKind
from flows.routing.answers import Answer, Handler, HandlerKind, Reason, Verdict
from flows.routing.path_changes import Effect, PathChange, path_of
from flows.routing.questions import Direction, Question
from flows.twilio.flex.flex_flow import CHANNEL_TYPES

MAX_CHANGES: Final = 20  # identities that a page names
MAX_PATHS: Final = 3  # paths that are drawn of each of their answers
COUNTS: Final = {Verdict.NONE: "No handler", Verdict.ONE: "One handler"}
BY_WEBSITE: Final = "A website names one by its SID, and that one gets its chats."
OUTSIDE_FLEX: Final = (HandlerKind.WEBHOOK, HandlerKind.SERVICE)
# The class of the mark of each effect.
EFFECT_SHAPES: Final = {
    Effect.LOST: "bad",
    Effect.LEAVES_FLEX: "bad",
    Effect.WORSE: "doubt",
    Effect.OTHER: "none",
    Effect.UNANSWERED: "none",
    Effect.BETTER: "good",
    Effect.GAINED: "good",
}


def answer_context(answer: Answer, question: Question) -> dict[str, Any]:
    """Return what the template of an answer shows of it."""
    return {
        "answer": answer,
        "shape": answer.quality.value,
        "count": count_handlers(answer),
        "headline": describe_answer(answer, question),
        "paths": [_path_of(handler) for handler in answer.handlers],
        "blind_spot": describe_blind_spot(answer),
    }


def changes_context(changes: Sequence[PathChange]) -> dict[str, Any]:
    """Return the context of routing/_path_changes.html, for changes with the worst first."""
    return {
        "path_changes": [_change_context(each) for each in changes[:MAX_CHANGES]],
        "path_change_count": len(changes),
        "path_changes_omitted": len(changes) - len(changes[:MAX_CHANGES]),
        "loses_answers": any(each.effect in (Effect.LOST, Effect.LEAVES_FLEX) for each in changes),
    }


def _change_context(change: PathChange) -> dict[str, Any]:
    sides = (("Now", change.now), ("After the change", change.later))
    kept_paths = {path_of(each) for each in change.now.handlers}
    kept_paths &= {path_of(each) for each in change.later.handlers}
    return {
        "question": change.question,
        "channel": CHANNEL_TYPES[change.question.channel],
        "place": change.place,
        "effect": change.effect,
        "shape": EFFECT_SHAPES[change.effect],
        "sides": [
            {
                "label": label,
                **_shortened(answer_context(answer, change.question), kept_paths),
                "why": why_no_one(answer),
            }
            for label, answer in sides
        ],
        "kept_count": len(kept_paths),
        "doubts": [each.value for each in change.doubts],
    }


def _shortened(context: dict[str, Any], kept_paths: Collection[tuple[Any, ...]]) -> dict[str, Any]:
    """Return an answer's context with its first paths that aren't kept, and the number of the others."""
    paths = [each for each in context["paths"] if path_of(each["handler"]) not in kept_paths]
    return {**context, "paths": paths[:MAX_PATHS], "omitted": len(paths) - len(paths[:MAX_PATHS])}


def describe_blind_spot(answer: Answer) -> str:
    """Return what can't be seen of the way behind the handlers that work, or ""."""
    able = [handler for handler in answer.handlers if not handler.problems]
    kinds = {handler.target.kind for handler in able if handler.target}
    parts = []
    if TargetKind.STUDIO_FLOW.label in kinds:
        parts.append("which way a message takes through the Studio Flow")
    is_webhook = any(handler.kind in OUTSIDE_FLEX for handler in able)
    if is_webhook or not kinds.isdisjoint((TargetKind.WEBHOOK.label, "Webhook")):
        parts.append("what the webhook does with it")
    return f"The dashboard can't see {', or '.join(parts)}." if parts else ""


def count_handlers(answer: Answer) -> str:
    return COUNTS.get(answer.verdict, f"{len(answer.handlers):,} handlers")


def describe_answer(answer: Answer, question: Question) -> str:
    """Return the answer as a sentence."""
    if question.direction == Direction.OUTBOUND:
        return _describe_outbound(answer)
    if answer.verdict == Verdict.NONE:
        return "As far as is known, no one gets it." if answer.doubts else "No one gets it."
    if answer.verdict == Verdict.SEVERAL:
        several = _describe_several(answer.handlers)
        return f"{several} {BY_WEBSITE}" if question.channel == "web" else several
    subject = _with_article(answer.handlers[0])
    reservation = "As far as is known, " if answer.doubts else ""
    if reservation:
        subject = subject[:1].lower() + subject[1:]
    if answer.is_broken:
        return f"{reservation}{subject} is the only one that gets it, but it can't handle it."
    return f"{reservation}{subject} is the only one that gets it."


def _describe_several(handlers: Sequence[Handler]) -> str:
    able = sum(1 for handler in handlers if not handler.problems)
    everyone = "Both" if len(handlers) == 2 else f"All {len(handlers):,}"
    if able == len(handlers):
        return f"{everyone} can get it."
    if not able:
        return f"{everyone} can get it, but none of them can handle it."
    number = "one" if able == 1 else f"{able:,}"
    return f"{everyone} can get it, but only {number} of them can handle it."


def _describe_outbound(answer: Answer) -> str:
    if answer.verdict == Verdict.NONE:
        return "No flow can send it."
    if answer.verdict == Verdict.SEVERAL:
        return f"{len(answer.handlers):,} flows can send it."
    return f"{_with_article(answer.handlers[0])} is the only one that can send it."


def _with_article(handler: Handler) -> str:
    if is_planned_sid(handler.key) and not handler.name:
        return "A new flow"
    name = handler.name or handler.key
    if handler.kind == HandlerKind.SERVICE:
        return f"The webhook of the Messaging Service at {name}"
    if handler.kind == HandlerKind.WEBHOOK:
        return f"The webhook at {name}"
    if handler.kind == HandlerKind.APPLICATION:
        return f"The TwiML application {name}"
    return f"The {handler.kind.value.lower()} “{name}”"


def why_no_one(answer: Answer) -> str:
    """Return why no one gets a message: the reason of the first flow of its channel, if there is one."""
    if not answer.candidates:
        return "No flow and no address is set up for it."
    of_channel = [each for each in answer.candidates if each.reason != Reason.OTHER_CHANNEL]
    candidate = [*of_channel, *answer.candidates][0]
    return f"{candidate.name or candidate.sid}: {candidate.sentence}"


def name_handlers(handlers: Iterable[Handler]) -> str:
    """Return the names of handlers as a list in words."""
    return ", ".join(handler.name or handler.key for handler in handlers)


def _path_of(handler: Handler) -> dict[str, Any]:
    return {
        "handler": handler,
        "url": _url_of(handler.kind, handler.key),
        "target_url": _target_url(handler),
    }


def _target_url(handler: Handler) -> str:
    """Return the page of what a flow points to. What only addresses use has none."""
    target = handler.target
    if handler.kind != HandlerKind.FLOW or not target or not target.sid:
        return ""
    kind = next(kind for kind in TargetKind if kind.label == target.kind)
    return reverse("flows:target", args=[kind, target.sid])


def _url_of(kind: HandlerKind, key: str) -> str:
    """Return the page of a flow or an address, or "" for what has none."""
    if kind == HandlerKind.FLOW and not is_planned_sid(key):
        return reverse("flows:detail", args=[key])
    return reverse("flex:address_configuration", args=[key]) if kind == HandlerKind.ADDRESS else ""
