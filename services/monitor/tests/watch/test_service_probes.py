"""Answers of real little servers, well-behaved and not."""

import pytest
from aiohttp import web

from bse_monitor.rules.observation import Answer


IMPATIENCE_S = 0.1


def answering(body, status=200, **headers):
    """A handler with a fixed answer."""

    async def handle(_request):
        return web.Response(body=body, status=status, headers=headers)

    return handle


async def test_an_instance_that_is_well_is_ready_with_its_figures(serve, ask):
    """Both answers are in one probe."""
    probe = await ask(await serve())

    assert (Answer.READY, ()) == (probe.answer, probe.reasons)
    assert {"memory_bytes": 5.1e7} == probe.figures
    assert "" == probe.figures_error


async def test_the_time_until_the_answer_is_measured(serve, ask, clock):
    """By the clock that it was given."""

    async def slow(_request):
        clock.advance(340)
        return web.json_response({"ready": True})

    assert 340 == (await ask(await serve(slow))).took_ms


async def test_an_instance_that_is_not_ready_says_why(serve, ask):
    """503 and the probe's JSON."""
    body = b'{"ready": false, "reasons": ["draining"]}'
    probe = await ask(await serve(answering(body, 503)))

    assert (Answer.NOT_READY, ("draining",)) == (probe.answer, probe.reasons)


async def test_an_instance_that_hangs_is_slow(serve, ask, released):
    """The deadline is ours, not theirs."""

    async def hang(_request):
        await released.wait()
        return web.Response()

    probe = await ask(await serve(hang, hang), IMPATIENCE_S)

    assert Answer.SLOW is probe.answer
    assert ("/readyz: no answer within 0.1 s",) == probe.reasons
    assert "/metrics: no answer within 0.1 s" == probe.figures_error


async def test_an_answer_that_drips_is_slow(serve, ask, released):
    """The deadline holds for the whole answer, not from byte to byte."""

    async def drip(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"ready"')
        await released.wait()
        return response

    assert Answer.SLOW is (await ask(await serve(drip), IMPATIENCE_S)).answer


async def test_a_huge_answer_is_cut_off(serve, ask):
    """Memory is bounded whatever comes; the figures have their own bound."""

    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while request.transport is not None:
            await response.write(b" " * 65_536)
        return response

    probe = await ask(await serve(endless, endless))

    assert Answer.GARBLED is probe.answer
    assert ("/readyz: an answer of more than 16384 bytes",) == probe.reasons
    assert "/metrics: an answer of more than 524288 bytes" == probe.figures_error


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"<html>", 200, "/readyz: HTTP 200 without the JSON of a probe"),
        (b"[]", 503, "/readyz: HTTP 503 without the JSON of a probe"),
        (b'{"ready": 1}', 200, "/readyz: HTTP 200 without the JSON of a probe"),
        (
            b'{"reasons": ["\xff"]}',
            200,
            "/readyz: HTTP 200 without the JSON of a probe",
        ),
        (
            b'{"x": ' + b"[" * 9000,
            200,
            "/readyz: HTTP 200 without the JSON of a probe",
        ),
        (b"", 404, "/readyz: HTTP 404"),
        (b"", 500, "/readyz: HTTP 500"),
    ],
)
async def test_an_answer_that_is_not_a_probe_s_is_garbled(
    serve, ask, body, status, why
):
    """Something else listens there, or something is very wrong."""
    probe = await ask(await serve(answering(body, status)))

    assert (Answer.GARBLED, (why,)) == (probe.answer, probe.reasons)


async def test_redirects_are_not_followed(serve, ask):
    """An instance cannot send the monitor elsewhere."""
    asked = []

    async def elsewhere(request):
        asked.append(request.path)
        return web.json_response({"ready": True})

    target = await serve(elsewhere)
    away = answering(b"", 302, Location=f"{target}/readyz")
    probe = await ask(await serve(away, away))

    assert [] == asked
    assert (Answer.GARBLED, ("/readyz: HTTP 302",)) == (probe.answer, probe.reasons)
    assert "/metrics: HTTP 302" == probe.figures_error


async def test_a_compressed_answer_is_not_inflated(serve, ask):
    """It was not asked for, and could be a bomb."""

    async def squeezed(_request):
        response = web.json_response({"ready": True})
        response.enable_compression(web.ContentCoding.gzip)
        response._compression_force = web.ContentCoding.gzip
        return response

    assert Answer.GARBLED is (await ask(await serve(squeezed))).answer


async def test_metrics_that_are_none_leave_the_readiness_alone(serve, ask):
    """An instance without figures can be well."""
    probe = await ask(await serve(metrics=answering(b"<html>")))

    assert Answer.READY is probe.answer
    assert "not Prometheus metrics" in probe.figures_error
