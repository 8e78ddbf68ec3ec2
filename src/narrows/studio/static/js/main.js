import { start } from "narrows/page/app";

start(/** @type {HTMLElement} */ (document.getElementById("app")));
