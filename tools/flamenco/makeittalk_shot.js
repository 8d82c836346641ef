// SPDX-License-Identifier: GPL-3.0-or-later
//
// A Flamenco job type: the frames of a talking shot, and a film of them with its speech.
// It goes into the folder `scripts` beside the Flamenco Manager; docs/batch.md says how shots are submitted.

const JOB_TYPE = {
    label: "MakeItTalk Shot",
    settings: [
        { key: "frames", type: "string", required: true,
          eval: "f'{C.scene.frame_start}-{C.scene.frame_end}'",
          evalInfo: { showLinkButton: true, description: "Scene frame range" },
          description: "Frames to render, such as '1-120' or '1-10, 40-60'" },
        { key: "chunk_size", type: "int32", default: 25, propargs: { min: 1 }, visible: "submission",
          description: "Frames that one Blender renders before it is closed: opening a shot takes seconds" },
        { key: "render_output_root", type: "string", subtype: "dir_path", required: true, visible: "submission",
          description: "Folder that every worker can write to; a folder for the shot is made in it" },
        { key: "sound", type: "string", subtype: "file_path", default: "", visible: "submission",
          description: "Recording of the film; empty for a silent one" },
        { key: "engine", type: "string", default: "", choices: ["", "CYCLES"], visible: "submission",
          description: "Renderer; empty for the file's own, Eevee, which wants a graphics card" },
        { key: "blendfile", type: "string", required: true, visible: "web",
          description: "The shot, where every worker sees it" },
        { key: "fps", type: "float", required: true, eval: "C.scene.render.fps / C.scene.render.fps_base",
          visible: "hidden" },
    ],
};

function compileJob(job) {
    const settings = job.settings;
    if (!(settings.fps > 0)) {
        throw "fps is missing: the film would run at another speed than the speech";
    }
    const name = path.stem(settings.blendfile).replace(".flamenco", "");
    const folder = path.join(settings.render_output_root, name, formatTimestampLocal(job.created));
    const frames = frameChunker(settings.frames, settings.chunk_size);
    const film = authorFilm(settings, folder, name);
    for (const chunk of frames) {
        const render = authorRender(settings, folder, chunk);
        job.addTask(render);
        film.addDependency(render);
    }
    job.addTask(film);
}

function authorRender(settings, folder, chunk) {
    const task = author.Task(`render-${chunk}`, "blender");
    const engine = settings.engine ? ["--engine", settings.engine] : [];
    task.addCommand(author.Command("blender-render", {
        exe: "{blender}",
        exeArgs: "{blenderArgs}",
        argsBefore: [],
        blendfile: settings.blendfile,
        args: engine.concat([
            "--render-output", path.join(folder, "######"),
            "--render-format", "PNG",
            "--render-frame", chunk.replaceAll("-", ".."), // as Blender writes a range
        ]),
    }));
    return task;
}

function authorFilm(settings, folder, name) {
    const task = author.Task("film", "ffmpeg");
    const sound = settings.sound ? ["-i", settings.sound, "-c:a", "aac", "-b:a", "192k", "-shortest"] : [];
    task.addCommand(author.Command("frames-to-video", {
        exe: "ffmpeg",
        fps: settings.fps,
        inputGlob: path.join(folder, "*.png"),
        outputFile: path.join(folder, `${name}.mp4`),
        args: sound.concat([
            "-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p",
            "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", // H.264 wants even sides
            "-r", String(settings.fps),
            "-y",
        ]),
    }));
    return task;
}
