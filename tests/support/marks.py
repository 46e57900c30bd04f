"""Which tests carry which marker and time limit: by the file they are in, or by a fixture they use."""

from __future__ import annotations

import os
from fnmatch import fnmatch

import pytest
from checkout import REPO

# File below tests/, or test in it (pattern) -> markers. A pattern that matches nothing fails
# tests/project/test_test_suite.py. Slow are those that took most of the CPU time; each folder keeps quick tests.
FILES = {
    "motion_gating/gate/test_gate_runs.py": ("slow", "network"),
    "motion_gating/judges/test_gate_services.py": ("slow", "network"),
    "motion_rep/runs/test_failing_calls.py": ("slow", "kill"),
    "motion_rep/runs/test_full_disk.py": ("slow", "kill"),
    "motion_rep/runs/test_lost_drive.py": ("slow", "kill"),
    "motion_rep/runs/test_ray_engine.py": ("slow", "network"),
    "motion_rep/runs/test_ray_kills.py": ("slow", "kill", "network"),
    "motion_rep/runs/test_resume.py": ("slow", "kill"),
    "motion_rep/runs/test_signals.py": ("slow", "kill"),
    "scripts/test_chain_resume.py": ("slow", "kill"),
    **dict.fromkeys(
        (
            "motion_gating/evaluation/test_gate_evaluation.py::test_the_process_*",
            "motion_gating/gate/test_true_means_judged.py",
            "motion_gating/judges/test_odd_servers.py::test_a_server_that_drips_*",
            "motion_gating/judges/test_odd_servers.py::test_a_servers_own_words_*",
            "motion_gating/judges/test_odd_servers.py::test_damaged_answers_*",
            "motion_gating/judges/test_odd_servers.py::test_odd_facts_*",
            "motion_gating/judges/test_protocols.py::test_what_a_model_of_known_habits_*",
            "motion_gating/preparing/test_candidates.py",
            "motion_gating/preparing/test_other_systems.py",
            "motion_gating/preparing/test_run.py",
            "motion_gating/rendering/test_render_command.py::test_by_path_*",
            "motion_gating/rendering/test_render_command.py::test_workers_*",
            "motion_gating/review_page/test_report.py::test_a_side_view_is_drawn_again_*",
            "motion_gating/review_page/test_report.py::test_memory_*",
            "motion_gating/review_page/test_report.py::test_unusable_input_*",
            "motion_gating/review_page/test_report.py::test_workers_*",
            "motion_rep/common/test_printed_text.py::test_closed_streams_*",
            "motion_rep/common/test_printed_text.py::test_streams_that_hold_*",
            "motion_rep/conversion/test_convert_command.py::test_*_from_another_folder",
            "motion_rep/conversion/test_convert_command.py::test_an_ascii_terminal_*",
            "motion_rep/conversion/test_convert_command.py::test_closed_streams_*",
            "motion_rep/conversion/test_convert_command.py::test_it_runs_as_a_module",
            "motion_rep/conversion/test_convert_command.py::test_workers_*",
            "motion_rep/conversion/test_inspect_capture.py::test_the_command_goes_on_*",
            "motion_rep/describing/test_facts.py::test_facts_of_the_generators_*",
            "motion_rep/drawing/test_checker_command.py::test_*_from_another_folder",
            "motion_rep/drop_ins/test_camerahmr_dropin.py",
            "motion_rep/drop_ins/test_smplest_x_dropin.py",
            "motion_rep/exporters/test_export.py::test_command_writes_every_kind_*",
            "motion_rep/files/test_http_files.py::test_a_download_without_end",
            "motion_rep/files/test_http_files.py::test_a_redirect_*",
            "motion_rep/files/test_http_files.py::test_private_hosts_*",
            "motion_rep/files/test_remote_files.py",
            "motion_rep/files/test_local_files.py::test_any_json_value_*",
            "motion_rep/motions/test_plot_motion.py::test_command_*",
            "motion_rep/motions/test_plot_motion.py::test_folder_*",
            "motion_rep/motions/test_plot_motion.py::test_two_motions_share_*",
            "motion_rep/preview_capture/test_capture_parts.py::test_the_same_clip_at_three_rates_*",
            "motion_rep/preview_capture/test_capture_preview.py",
            "motion_rep/runs/test_work_pool.py::test_who_only_hands_out_*",
            "project/test_test_suite.py::test_a_test_that_hangs_*",
            "motion_rep/refining/test_refine_command.py::test_*_from_another_folder",
            "motion_rep/runs/test_work_pool.py::test_workers_end_with_a_run_*",
            "motion_rep/safe_loading/test_unpickler.py::test_containers_without_end_*",
            "motion_rep/video/test_cut_video.py",
            "motion_rep/viewer/test_view_motion.py::test_command_serves_*",
            "project/test_code_style.py::test_types_*",
            "project/test_hostile_input.py",
            "project/test_into_vimogen.py",
            "project/test_readme_commands.py",
            "project/test_short_commands.py",
            "scripts/test_capture_evaluation.py::test_training_*",
            "scripts/test_data_samples.py",
            "scripts/test_evaluate_protocols.py",
            "scripts/test_extract_motion.py",
            "scripts/test_generate_video.py",
            "scripts/test_prepare_custom_motion.py",
            "scripts/test_simulated_tracks.py::test_training_learns_*",
        ),
        ("slow",),
    ),
}
# Files that take the longest, worst first: they begin first, so that no core is left with one of them at the end.
FIRST = (
    "project/test_readme_commands.py",
    "scripts/test_chain_resume.py",
    "scripts/test_prepare_custom_motion.py",
    "motion_rep/runs/*",
    "scripts/*",
    "motion_rep/preview_capture/*",
    "motion_gating/gate/*",
)
FIXTURES = {"gl": "gl", "browser": "browser", "s3": "network", "bucket": "network", "viewer": "network"}
# Seconds for one test; pyproject.toml has the limit of the others. FULL_KILL_LOOP=1 repeats each kill test many times.
LIMITS = {"slow": 300, "network": 300, "browser": 300, "kill": 3600 if os.environ.get("FULL_KILL_LOOP") else 600}


def marks_of(path: str, name: str, fixtures: list[str]) -> set[str]:
    """Markers of a test, by its file (relative to tests/), its name and its fixtures; ``quick`` where there is none."""
    found = {mark for pattern, marks in FILES.items() if covers(pattern, path, name) for mark in marks}
    return found | {mark for fixture, mark in FIXTURES.items() if fixture in fixtures}


def covers(pattern: str, path: str, name: str) -> bool:
    """Whether a pattern of ``FILES`` names this test or its whole file."""
    file, _, test = pattern.partition("::")
    return fnmatch(path, file) and fnmatch(name, test or "*")


def turn_of(path: str) -> int:
    """Place of a test file in the order in which files begin."""
    return next((place for place, pattern in enumerate(FIRST) if fnmatch(path, pattern)), len(FIRST))


def _below_tests(item: pytest.Item) -> str:
    return item.path.relative_to(REPO / "tests").as_posix() if item.path.is_relative_to(REPO / "tests") else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Add the markers, and put long files first; a test without a marker is quick."""
    items.sort(key=lambda item: turn_of(_below_tests(item)))
    for item in items:
        path = _below_tests(item)
        name, fixtures = getattr(item, "originalname", item.name), getattr(item, "fixturenames", [])
        marks = marks_of(path, name, fixtures) | {mark.name for mark in item.iter_markers()}
        parametrized = getattr(getattr(item, "callspec", None), "params", {})
        if parametrized.get("renderer") == "gl":
            marks.add("gl")
        if limits := [LIMITS[mark] for mark in marks & set(LIMITS)]:
            item.add_marker(pytest.mark.timeout(max(limits)), append=True)
        known = marks & {"slow", "kill", "gl", "browser", "network"}
        for mark in known or {"quick"}:
            item.add_marker(mark)
