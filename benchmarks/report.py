"""What compare.py prints, writes and draws."""

import dataclasses
import math

import works


@dataclasses.dataclass
class Verdict:
    """A target, and what was measured."""

    title: str
    wanted: str
    measured: str
    reached: bool


def find(measurements, work):
    return next((m for m in measurements if m.work.title == work.title and m.work.threads == work.threads), None)


def rtneural_seconds(measurements, work):
    """RTNeural's time, scaled by how fast Eigen multiplies here; None where that is not known."""
    gemm = find(measurements, works.EIGEN_GEMM)
    if work.name != "stream_step" or work.sizes not in works.RTNEURAL or not gemm or not gemm.median("heed"):
        return None
    rate = works.operations(works.EIGEN_GEMM) / gemm.median("heed")
    return works.RTNEURAL[work.sizes] * 1e-9 * works.RTNEURAL_GEMM / rate


def bound_seconds(measurements, work):
    bound = find(measurements, works.BOUND)
    is_bounded = work.name == "index2_step" and work.sizes == works.BOUND.sizes
    return bound.median("heed") if bound and is_bounded else None


def peer_seconds(measurements, measurement, peer, families):
    """Times of the peers that a target means, by what to call them."""
    if peer == "bound":
        return {"bound": bound_seconds(measurements, measurement.work)}
    if peer == "rtneural":
        return {"RTNeural, scaled": rtneural_seconds(measurements, measurement.work)}
    if peer == "heed":
        alone = find(measurements, dataclasses.replace(measurement.work, threads=1))
        return {"heed with one thread": alone.median("heed") if alone else None}
    if peer == "padded":
        padded = find(measurements, works.Work("lstm_train", measurement.work.sizes))
        return {"heed, padded": padded.median("heed") if padded else None}
    return {key: measurement.median(key) for key, family in families.items() if family == peer}


def judge(measurements, families):
    verdicts = []
    for target in works.TARGETS:
        measurement = find(measurements, target.work)
        if not measurement or not measurement.median("heed"):
            continue
        for name, seconds in peer_seconds(measurements, measurement, target.peer, families).items():
            if not seconds:
                continue
            ratio = seconds / measurement.median("heed")
            # At most so much slower is said the other way round.
            if target.factor < 1:
                wanted, measured = f"{1 / target.factor:.2g}x its time", f"{1 / ratio:.2f}x its time"
            else:
                wanted, measured = f"{target.factor:.2g}x as fast", f"{ratio:.2f}x as fast"
            title = f"{target.work.title}, {name}"
            verdicts.append(Verdict(title, wanted, measured, ratio >= target.factor))
    epoch = find(measurements, works.EPOCH)
    if epoch and "heed" in epoch.memory:
        held = epoch.memory["heed"]
        title = f"{works.EPOCH.title}, peak memory"
        wanted = f"under {works.EPOCH_MEMORY / 1e6:.0f} MB"
        verdicts.append(Verdict(title, wanted, f"{held / 1e6:.1f} MB", held < works.EPOCH_MEMORY))
    return verdicts


def time_text(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.0f} ns"


def times_table(measurements, names, threads):
    """Medians, and behind each peer's how many times heed's it is."""
    chosen = [m for m in measurements if m.work.threads == threads and m.work.name != "eigen_gemm" and m.seconds]
    chosen = [m for m in chosen if m.work.name != "bound"]
    others = [key for key in names if key != "heed"]
    rows = []
    for m in chosen:
        heed = m.median("heed")
        row = [m.work.title, time_text(heed) if heed else ""]
        extra = bound_seconds(measurements, m.work) or rtneural_seconds(measurements, m.work)
        # What was not measured by a worker: what the operations take, or another machine's time.
        if threads == 1:
            row.append(with_ratio(extra, heed))
        else:
            alone = find(measurements, dataclasses.replace(m.work, threads=1))
            row.append(with_ratio(alone.median("heed") if alone else None, heed))
        row += [with_ratio(m.median(key), heed) for key in others]
        rows.append(row)
    third = "bound, or RTNeural scaled" if threads == 1 else "heed, one thread"
    title = f"{'One thread' if threads == 1 else f'{threads} threads'}: medians, and how many times heed's they are"
    return title, ["work", names["heed"], third, *[names[key] for key in others]], rows


def with_ratio(seconds, heed):
    if not seconds:
        return ""
    return f"{time_text(seconds)} ({seconds / heed:.2f}x)" if heed else time_text(seconds)


def memory_table(epoch, names):
    rows = [[names[key], time_text(epoch.median(key)), f"{held / 1e6:.0f} MB"] for key, held in epoch.memory.items()]
    return f"index2_epoch: {works.EPOCH_SAMPLES:,} samples", ["", "an epoch", "peak memory"], rows


def rates_table(measurements, names):
    rows = []
    for m in measurements:
        operations = works.operations(m.work)
        if operations and m.seconds:
            rates = [f"{operations / m.median(key) / 1e9:.0f}" if m.median(key) else "" for key in names]
            rows.append([f"{m.work.title}, {m.work.threads} thread{'s' if m.work.threads > 1 else ''}", *rates])
    return "GFLOP/s, counting the products alone (eigen_gemm is Eigen's)", ["work", *names.values()], rows


def slow_products(measurements, names):
    """A sentence for each peer whose matrix products are so slow that comparing with it says little else."""
    eigen = find(measurements, works.EIGEN_GEMM)
    peers = next((m for m in measurements if m.work.name == "gemm"), None)
    if not eigen or not peers or not eigen.seconds:
        return []
    slow = [key for key in peers.seconds if peers.median(key) > 3 * eigen.median("heed")]
    advice = "it may use a reference BLAS, in whose place Debian has the package libopenblas0-pthread"
    return [f"{names[key]} multiplies matrices far slower than Eigen: {advice}." for key in slow]


def notes_table(measurements, names):
    rows = [
        [m.work.title, str(m.work.threads), names.get(key, key), note]
        for m in measurements
        for key, note in m.notes.items()
    ]
    return "The fastest way, where there was a choice, and how others compare", ["work", "threads", "peer", "way"], rows


def tables(measurements, names, verdicts):
    found = [times_table(measurements, names, 1), times_table(measurements, names, 2)]
    epoch = find(measurements, works.EPOCH)
    if epoch and epoch.memory:
        found.append(memory_table(epoch, names))
    found += [rates_table(measurements, names), notes_table(measurements, names)]
    rows = [[v.title, v.wanted, v.measured, "reached" if v.reached else "missed"] for v in verdicts]
    found.append(("Targets", ["work, against", "wanted", "measured", ""], rows))
    return [table for table in found if table[2]]


def as_text(title, header, rows):
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [header, *rows]]
    return "\n".join([title, "", lines[0], "-" * max(map(len, lines)), *lines[1:]])


def as_markdown(title, header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join([f"**{title}**", "", *["| " + " | ".join(line) + " |" for line in lines]])


# On the background, text has a contrast of at least 4.5 : 1 and bars of at least 3 : 1 (WCAG 2.1).
BACKGROUND, BORDER, GRID, INK, QUIET = "#ffffff", "#d8dee8", "#e6eaf0", "#16202e", "#566377"
COLOURS = ["#2f6db3", "#c2410c", "#3f7d3f", "#8a4fb0", "#8a6d1d", "#4b5563"]
WIDTH, LEFT, RIGHT, BAR, GAP = 960, 300, 880, 13, 14


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def text_element(x, y, words, size=14, colour=INK, anchor="start", weight=400):
    style = f'font-size="{size}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escaped(words)}</text>'


def chart(measurements, names):
    """How many times heed's time each peer takes, on a logarithmic scale that begins bars at 1: to the right heed is
    faster, to the left the peer."""
    others = [key for key in names if key != "heed"]
    skipped = {"gemm", "eigen_gemm", "bound"}
    chosen = [m for m in measurements if m.work.threads == 1 and m.work.name not in skipped and m.median("heed")]
    groups = []
    for m in chosen:
        ratios = [(key, m.median(key) / m.median("heed")) for key in others if m.median(key)]
        if ratios:
            groups.append((m.work.title, ratios))
    values = [ratio for _, ratios in groups for _, ratio in ratios] or [1]
    low = min(0, math.floor(math.log2(min(values))))
    high = max(1, math.ceil(math.log2(max(values))))
    x_of = lambda ratio: LEFT + (math.log2(ratio) - low) / (high - low) * (RIGHT - LEFT)

    top = 112
    bottom = top + sum(len(ratios) * BAR + GAP for _, ratios in groups)
    shapes = [text_element(40, 50, "How many times heed's time others take, one thread", 22, weight=600)]
    x = 40
    for key, colour in zip(others, COLOURS):
        shapes.append(f'<rect x="{x}" y="70" width="12" height="12" rx="2" fill="{colour}"/>')
        shapes.append(text_element(x + 18, 81, names[key], 14, QUIET))
        x += 40 + 7.6 * len(names[key])
    for power in range(low, high + 1):
        tick = x_of(2**power)
        shapes.append(f'<line x1="{tick:.1f}" y1="{top - 8}" x2="{tick:.1f}" y2="{bottom}" stroke="{GRID}"/>')
        label = f"{2**power}" if power >= 0 else f"1/{2**-power}"
        shapes.append(text_element(tick, bottom + 22, label, 13, QUIET, "middle"))
    shapes.append(text_element(RIGHT, 81, "logarithmic scale", 13, QUIET, "end"))
    y = top
    for title, ratios in groups:
        shapes.append(text_element(LEFT - 14, y + len(ratios) * BAR / 2 + 5, title, 13, anchor="end"))
        for key, ratio in ratios:
            begin, end = sorted((x_of(1), x_of(ratio)))
            colour = COLOURS[others.index(key) % len(COLOURS)]
            width = max(end - begin, 1)
            shapes.append(f'<rect x="{begin:.1f}" y="{y}" width="{width:.1f}" height="{BAR - 2}" fill="{colour}"/>')
            shapes.append(text_element(max(end, x_of(1)) + 5, y + BAR - 3, f"{ratio:.{ratio < 9.95:d}f}", 11, QUIET))
            y += BAR
        y += GAP
    shapes.append(f'<line x1="{x_of(1):.1f}" y1="{top - 8}" x2="{x_of(1):.1f}" y2="{bottom}" stroke="{INK}"/>')
    height = bottom + 48
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'role="img" font-family="system-ui, -apple-system, \'Segoe UI\', Roboto, \'Noto Sans\', Arial, sans-serif">'
    )
    title = "<title>Times of other libraries, divided by heed's</title>"
    box = f'x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="12" fill="{BACKGROUND}" stroke="{BORDER}"'
    return "\n".join([head, title, f"<rect {box}/>", *shapes, "</svg>"]) + "\n"
