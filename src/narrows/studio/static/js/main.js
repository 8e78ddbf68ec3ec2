import { start } from "narrows/app";

start(/** @type {HTMLElement} */ (document.getElementById("app")));
