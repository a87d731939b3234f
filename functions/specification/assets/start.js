"use strict";

// What stands before a token in `Authorization`, by the name of the scheme. Who types a token alone means that.
const BEFORE_TOKEN = {
  jwt: (token) => `JWT ${token}`,
  apiToken: (token) => `Token ${token}`,
  operator: (token) => `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(token)))}`,
};

// The schemes to which Swagger UI itself adds the word.
const BEARER = /^Bearer\s+/i;

function asSent(name, credential) {
  const { value } = credential;
  if (typeof value !== "string") {
    return credential;
  }
  const token = value.trim().replace(BEARER, "");
  const isBare = !/\s/.test(token);
  return { ...credential, value: isBare && name in BEFORE_TOKEN ? BEFORE_TOKEN[name](token) : token };
}

const bareTokens = {
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (authorize) => (credentials) => {
          const named = Object.entries(credentials).map(([name, credential]) => [name, asSent(name, credential)]);
          return authorize(Object.fromEntries(named));
        },
      },
    },
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (document) => {
          const schemes = document.components?.securitySchemes ?? {};
          for (const name of Object.keys(BEFORE_TOKEN).filter((name) => name in schemes)) {
            schemes[name].description += " Typed here, the token alone is enough.";
          }
          return update(document);
        },
      },
    },
  },
};

// Each field asks for the focus, so that the dialogue would open at its end.
const dialogueFromItsTop = ({ React }) => ({
  wrapComponents: {
    authorizationPopup: (Popup) =>
      function FromItsTop(properties) {
        React.useEffect(() => {
          const content = document.querySelector(".auth-container")?.closest(".modal-ux-content");
          content?.querySelector("input")?.focus({ preventScroll: true });
          content?.scrollTo(0, 0);
        }, []);
        return React.createElement(Popup, properties);
      },
  },
});

const anyPartOfATag = {
  fn: {
    opsFilter: (tags, phrase) => tags.filter((_, tag) => tag.toLowerCase().includes(phrase.trim().toLowerCase())),
  },
};

SwaggerUIBundle({
  // Beside the directory of this script, whatever the path before it.
  url: new URL("../openapi.json", document.currentScript.src).href,
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  // What was typed is kept in this browser, for this address alone.
  persistAuthorization: true,
  plugins: [bareTokens, dialogueFromItsTop, anyPartOfATag],
  // The document goes to nobody else to be judged.
  validatorUrl: null,
});
