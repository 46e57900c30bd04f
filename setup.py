"""Install the toolkit: ``pip install -e .`` adds its commands under short names."""

import re
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = Path(__file__).with_name("motion_rep") / "__init__.py"
ENTRY = "reference_motion_commands"  # finds our packages where others have their names
COMMANDS = {
    "convert-hmr-to-motion": "motion_rep.convert_hmr_to_motion",
    "refine-motion": "motion_rep.refine_motion",
    "motion-checker": "motion_rep.motion_checker",
    "inspect-capture": "motion_rep.inspect_capture",
    "capture-preview": "motion_rep.capture_preview",
    "plot-motion": "motion_rep.plot_motion",
    "describe-motion": "motion_rep.describe_motion",
    "export-motion": "motion_rep.export_motion",
    "convert-representation": "motion_rep.convert_representation",
    "render-mbench-videos": "motion_gating.render_mbench_videos",
    "apply-quality-gate": "motion_gating.apply_quality_gate",
    "evaluate-gate": "motion_gating.evaluate_gate",
    "build-report": "motion_gating.build_report",
    "rank-candidates": "motion_gating.rank_candidates",
    "make-archive": "motion_gating.make_archive",
    "prepare-motions": "motion_gating.prepare_motions",
    "export-for-tm2m": "motion_gating.export_for_tm2m",
    "export-labels": "motion_gating.export_labels",
}

setup(
    name="reference-motion-toolkit",
    version=re.search(r'^__version__ = "(.+)"$', PACKAGE.read_text(encoding="utf-8"), re.MULTILINE)[1],
    description="Prepare reference motions for text/motion-to-motion models: HMR captures to gated 276-dim motions",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    packages=[*find_packages(include=("motion_rep*", "motion_gating*")), ENTRY],
    package_dir={ENTRY: "scripts/lib/short_commands"},
    package_data={"": ["*.sh", "*.md", "*.npz", "*.json", "page_files/*"]},
    python_requires=">=3.11",
    install_requires=[
        "torch>=2.6",
        "numpy>=2.0",
        "smplx>=0.1.28",
        "mannequin-x>=0.3,<0.4",
        "trimesh>=4.4",
        "pyrender2>=0.2",
        "opencv-python-headless>=5.0,<6",
        "imageio>=2.34",
        "av>=18,<19",
        "pillow>=11",
        "google-genai>=1.20,<4",
        "openai>=1.60,<4",
        "pygltflib>=1.16",
        "jinja2>=3.1",
        "matplotlib>=3.8",
        "ai-edge-litert>=2.0,<3",
        "tqdm>=4.60",
    ],
    extras_require={
        "viewer": ["viser>=1.1,<2"],
        "joblib": ["joblib>=1.3", "lz4>=4"],
        "ray": ["ray>=2.30"],
        "s3": ["s3fs"],
        "gs": ["gcsfs"],
    },
    entry_points={
        "console_scripts": [f"{name} = {ENTRY}:{module.rpartition('.')[2]}" for name, module in COMMANDS.items()]
    },
)
