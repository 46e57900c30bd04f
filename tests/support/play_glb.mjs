// Loads a glb with three.js and prints where joints and vertices are at some times, as JSON.
// Usage: node play_glb.mjs FOLDER_WITH_NODE_MODULES FILE.glb '[times]' '[vertices]'
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

globalThis.self = globalThis;
const [folder, file, times, picked] = [process.argv[2], process.argv[3], JSON.parse(process.argv[4]), JSON.parse(process.argv[5])];
const three = await import(pathToFileURL(`${folder}/three/build/three.module.js`).href);
const { GLTFLoader } = await import(pathToFileURL(`${folder}/three/examples/jsm/loaders/GLTFLoader.js`).href);
const bytes = readFileSync(file);
const gltf = await new GLTFLoader().parseAsync(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength), "");
const mesh = gltf.scene.getObjectByProperty("isSkinnedMesh", true);
const mixer = new three.AnimationMixer(gltf.scene);
const clip = gltf.animations[0];
const action = mixer.clipAction(clip);
action.setLoop(three.LoopOnce);
action.clampWhenFinished = true;
action.play();
const frames = times.map((time) => {
  mixer.setTime(time);
  gltf.scene.updateMatrixWorld(true);
  const joints = mesh.skeleton.bones.map((bone) => new three.Vector3().setFromMatrixPosition(bone.matrixWorld).toArray());
  const vertices = picked.map((index) => mesh.getVertexPosition(index, new three.Vector3()).toArray());
  return { joints, vertices };
});
console.log(JSON.stringify({ duration: clip.duration, names: mesh.skeleton.bones.map((bone) => bone.name), frames }));
