"""Stand-in for SMPLest-X's utils/visualization_utils.py on a machine without OpenGL."""


def render_mesh(img, mesh, face, cam_param, mesh_as_vertices=False):
    raise RuntimeError("no OpenGL\nhere")
