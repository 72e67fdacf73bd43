// The pages of passkeys: connects the form with allauth's script, which talks to the browser, and shows its errors.
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
      NotAllowedError: "The passkey request was cancelled or timed out. Try again.",
      InvalidStateError: "This passkey is already set up.",
      SecurityError: "Your browser doesn’t allow passkeys on this address.",
    };
    const problem = document.getElementById("page-problem");
    problem.textContent = words[event.detail.exception?.name] ?? "Couldn’t use the passkey in this browser.";
    problem.hidden = false;
  });
})();
