"""`plan`: what would be contacted, by which questions, at what cost. It sends nothing."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import click

from checker.cli import options
from checker.introduction import Introduction
from checker.matrix import Reach, who_may_reach
from checker.model import Asset, Depth, Inventory
from checker.plan import AssetPlan, Plan, Step, StepKind
from checker.policy import Policy

_ROWS = 500


@click.command("plan")
@options.inventories
@options.asset_globs
@options.vantage
@options.ports
@options.client_certificate
@options.client_key
@options.rate
@options.concurrency
@options.depth
@options.as_json
@options.matrix
def COMMAND(  # noqa: N802 - commands are found by this name
    inventory: tuple[Path, ...],
    assets: tuple[str, ...],
    vantage: str,
    ports: str | None,
    client_certificate: Path | None,
    client_key: Path | None,
    rate: float | None,
    concurrency: int,
    depth: str | None,
    json: bool,
    matrix: bool,
) -> int:
    """Print what `check` would contact: assets, ports, questions, connections, estimated time. Sends nothing."""
    from checker.net.manners import RUN_CONNECTIONS_PER_SECOND
    from checker.plan import chosen_ports, chosen_speaks, chosen_udp, plan_run

    found = options.load_inventory(inventory)
    found = options.with_client_certificate(found, client_certificate, client_key)
    chosen = options.chosen_assets(found, assets)
    choice = options.chosen_ports(ports)
    numbers, udp = chosen_ports(choice, found), chosen_udp(choice, found)
    options.tell_notices(found)
    options.tell_vantage(found, vantage)
    today = date.today()  # noqa: DTZ011 - authorizations are written in local days
    made = plan_run(
        found,
        chosen,
        ports=numbers,
        udp=udp,
        speaks=chosen_speaks(choice, found),
        today=today,
        concurrency=concurrency,
        depth=None if depth is None else Depth(depth),
    )
    if matrix and not json:
        from checker.cli.matrix import print_matrix

        print_matrix(who_may_reach(Policy.of(found), chosen, today))
        return 0
    seconds = max(made.seconds, made.connections / (rate or RUN_CONNECTIONS_PER_SECOND))
    introduction = Introduction.of(found)
    if json:
        rows = who_may_reach(Policy.of(found), chosen, today) if matrix else None
        _print_json(made, chosen, seconds, vantage, introduction, rows)
    else:
        _print(found, made, chosen, seconds, vantage, introduction)
    return 0


def _print(
    found: Inventory, made: Plan, chosen: tuple[Asset, ...], seconds: float, vantage: str, introduction: Introduction
) -> None:
    from rich.table import Table

    from checker.cli.console import console, harmless, plain

    output = console()
    table = Table("Asset", "Addresses", "Questions", box=None, pad_edge=False, header_style="bold")
    table.add_column("Connections", justify="right")
    for plan in made.assets[:_ROWS]:
        table.add_row(
            plain(plan.asset_id), "\n".join(plan.addresses) or "-", _questions(plan), f"at most {plan.connections}"
        )
    output.print(table)
    # To fit the columns of a table to a whole health system takes longer than to read any of it.
    for plan in made.assets[_ROWS:]:
        asked = _questions(plan).replace("\n", "; ")
        click.echo(f"{harmless(plan.asset_id)}  {' '.join(plan.addresses) or '-'}  {asked}  at most {plan.connections}")
    for plan in made.assets:
        for refusal in plan.refusals:
            output.print(plain(f"{plan.asset_id}: {refusal}"))
    output.print(
        f"\n{len(chosen)} of {len(found.assets)} assets, at most {made.connections} connections, up to"
        f" {duration(seconds)} from the vantage {vantage}. Nothing was sent."
    )
    output.print(
        f"Expect the calling AE title {introduction.calling_ae_title} and the User-Agent {introduction.user_agent},"
    )
    output.print(f"and the DICOM implementation class UID {introduction.implementation_class_uid}.")
    if introduction.client_certificate_subject is not None:
        output.print(plain(f"Where a server requires one, expect the certificate of {_own(introduction)}."))


def _own(introduction: Introduction) -> str:
    return f"{introduction.client_certificate_subject}, with the SHA-256 {introduction.client_certificate_sha256}"


def _questions(plan: AssetPlan) -> str:
    lines = [f"{step.kind.value} on {step.port}: {step.purpose}" for step in plan.steps if _is_question(step)]
    lines += [step.purpose for step in plan.steps if step.kind is StepKind.RESOLVE]
    ports = sorted({step.port for step in plan.steps if step.kind is StepKind.PORT})
    if ports:
        lines.append(f"ports {', '.join(map(str, ports))}")
    open_ones = sorted({step.port for step in plan.steps if step.kind is StepKind.RECOGNISE})
    if open_ones:
        lines.append(f"once what it is, of the open ones of {', '.join(map(str, open_ones))}")
    udp = {step.port: step.purpose for step in plan.steps if step.kind is StepKind.UDP and step.connections}
    if udp:
        lines.append(f"UDP ports {', '.join(f'{port} ({purpose})' for port, purpose in sorted(udp.items()))}")
    return "\n".join(lines) or "nothing"


def _is_question(step: Step) -> bool:
    return step.kind not in (StepKind.PORT, StepKind.RESOLVE, StepKind.UDP, StepKind.RECOGNISE)


def _print_json(
    made: Plan,
    chosen: tuple[Asset, ...],
    seconds: float,
    vantage: str,
    introduction: Introduction,
    matrix: tuple[Reach, ...] | None,
) -> None:
    import orjson

    from checker.cli.matrix import matrix_document

    document = {
        "vantage": vantage,
        "assets": [
            {
                "id": asset.id,
                "addresses": plan.addresses,
                "connections": plan.connections,
                "refusals": plan.refusals,
                "steps": [
                    {"kind": step.kind.value, "address": step.address, "port": step.port, "purpose": step.purpose,
                     "connections": step.connections}
                    for step in plan.steps
                ],
            }
            for asset, plan in zip(chosen, made.assets, strict=True)
        ],
        "questions": dict(Counter(step.kind.value for plan in made.assets for step in plan.steps)),
        "connections": made.connections,
        "estimated_seconds": round(seconds, 1),
        "calling_ae_title": introduction.calling_ae_title,
        "user_agent": introduction.user_agent,
        "implementation_class_uid": introduction.implementation_class_uid,
        "client_certificate_subject": introduction.client_certificate_subject,
        "client_certificate_sha256": introduction.client_certificate_sha256,
        **({} if matrix is None else {"matrix": matrix_document(matrix)}),
    }  # fmt: skip
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def duration(seconds: float) -> str:
    """A length of time for people, such as `45 s`, `12 min` or `3.5 h`."""
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
