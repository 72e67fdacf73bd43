// Passkeys, on their own pages only: allauth's script speaks to the browser, this one tells it of the form, and the
// person what came of it.
(() => {
  "use strict";
  const form = document.getElementById("passkey");
  const { call, button, options } = form.dataset;
  document.getElementById(window.PublicKeyCredential ? "passkey" : "no-passkey")?.removeAttribute("hidden");
  window.allauth.webauthn.forms[call]({
    ids: { [button]: "passkey-button", credential: "credential" },
    data: JSON.parse(options),
  });
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    const words = {
      NotAllowedError: "The passkey was not used: it was cancelled, or took too long. Try again.",
      InvalidStateError: "This passkey is set up already.",
      SecurityError: "The browser refuses passkeys at this address.",
    };
    const trouble = document.getElementById("trouble");
    trouble.textContent = words[event.detail.exception?.name] ?? "The passkey could not be used in this browser.";
    trouble.hidden = false;
  });
})();
