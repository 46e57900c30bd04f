"""One cheap call before a long run, to detect a wrong key, model or address in a second."""

from __future__ import annotations

from motion_gating.judges.inquiry import Inquiry, answer_form, one_of
from motion_gating.judges.service import Attempt, CallFailure, Failure, Service, shown
from motion_gating.judges.transport import within
from motion_rep.common.errors import UsageError

PROMPT = 'Answer with this JSON object and nothing else: {"ready": "yes"}'
TRIAL = Inquiry("trial", PROMPT, answer_form(ready=one_of(("yes",))), sees_clip=False)
TOKENS, SECONDS = 64, 30.0
# Answers in the form of the API: the service works, although it gives no answer to such a small question.
ANSWERS = {Failure.EMPTY, Failure.TRUNCATED, Failure.BLOCKED}
# The next attempt may succeed: without a schema, or after one damaged response.
ONCE_MORE = {Failure.NO_SCHEMA, Failure.MALFORMED}
HOPELESS = {Failure.STOP, Failure.NETWORK}


def try_service(service: Service) -> str | None:
    """Ask a question without a clip; returns a sentence if the service is too busy to answer.

    Raises:
        UsageError: the service refuses the key or the model, cannot be reached, or does not answer in the form of its
            API (a login page, another program's JSON).
    """
    failure = _asked(service)
    if failure is not None and failure.kind in ONCE_MORE:
        failure = _asked(service)
    if failure is None or failure.kind in ANSWERS:
        return None
    said = shown(failure.message, service.secrets)
    if failure.kind in HOPELESS:
        raise UsageError(f"the judge {service.name} cannot be asked: {said}")
    if failure.kind is Failure.MALFORMED:
        raise UsageError(
            f"the judge {service.name} does not answer as its API does. Check the address, and open it in a browser: a "
            f"network may ask for a login first. Found: {said}"
        )
    return f"the judge {service.name} did not answer a trial question: {said}"


def _asked(service: Service) -> CallFailure | None:
    """Why there is no answer; None if there is one."""
    try:
        with service.attach(()) as ask:
            within(SECONDS, lambda: ask(TRIAL, Attempt(TOKENS, SECONDS)))
    except CallFailure as failure:
        return failure
    return None
