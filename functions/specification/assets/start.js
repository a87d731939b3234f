"use strict";

SwaggerUIBundle({
  // Beside the directory of this script, whatever the path before it.
  url: new URL("../openapi.json", document.currentScript.src).href,
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  // The document goes to nobody else to be judged.
  validatorUrl: null,
});
