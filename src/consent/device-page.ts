import {
  careIcon,
  type Html,
  html,
  inWords,
  type Page,
  plainText,
  problemNote,
  tickIcon,
} from '../http/index.ts';

/** What the page shows on which people type the code of a device (RFC 8628 §3.3). */
export type DeviceCodeView = {
  /** where the form posts to */
  action: string;
  csrf: string;
  /** what was typed before, or what the link of the device says; the person still presses the button */
  userCode: string;
  /** what was wrong with the form just sent; one answer for wrong, expired and used codes */
  problem?: DeviceCodeProblem | undefined;
};

/** `retryAfter` in seconds. */
export type DeviceCodeProblem = { kind: 'unknown' } | { kind: 'locked'; retryAfter: number };

/** Asks for the code that a device shows: one form with the inputs `user_code` and `csrf`. */
export function deviceCodePage({ action, csrf, userCode, problem }: DeviceCodeView): Page {
  const isWrong = problem?.kind === 'unknown';
  const body = html`<form method="post" action="${action}">
<input type="hidden" name="csrf" value="${csrf}">
<section>
<h1>Connect a device</h1>
<p class="sub">Type the code that the device or terminal shows. You decide what it may do on the next pages.</p>
${problem && problemNote('problem', problemText(problem))}
<div class="field"><label for="user_code">Code</label><input class="code" id="user_code" name="user_code" type="text" autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" maxlength="40" required value="${plainText(userCode)}"${(userCode === '' || isWrong) && html` autofocus`}${isWrong && html` aria-invalid="true"`} aria-describedby="${isWrong ? 'user_code-hint problem' : 'user_code-hint'}"><small id="user_code-hint">Eight letters, such as WDJB-MJHT. Dash and case do not matter.</small></div>
<p class="note warn" role="note">${careIcon()}<span>Go on only if you started this yourself, on a device that you have in front of you. Nobody else needs you to type a code that they sent or told you.</span></p>
</section>
<div class="actions"><button class="primary">Continue</button></div>
</form>`;
  return { title: 'Connect a device', body };
}

function problemText(problem: DeviceCodeProblem): string {
  if (problem.kind === 'unknown') {
    return 'That code is not valid here. Compare it with the device; codes work once and for ten minutes. If it is the same, start again on the device to get a new one.';
  }
  const seconds = problem.retryAfter;
  const wait = seconds < 60 ? Math.ceil(seconds) : Math.ceil(seconds / 60) * 60;
  return `Too many codes were tried. Wait ${inWords(wait)}, then try again.`;
}

/** On the consent page in place of the redirect host: the code to compare, and who gets the access. */
export function deviceDestination({ userCode }: { userCode: string }): Html {
  return html`<h2 class="label">The device that shows this code gets access</h2>
<div class="return"><p class="host">${userCode}</p>
<p class="note warn" role="note">${careIcon()}<span>Whoever has that device will be able to act for you. Approve only if you just started this on it yourself and it shows exactly this code.</span></p></div>`;
}

/** The end of it: the person goes back to the device. */
export function deviceConnectedPage({ accountUrl }: { accountUrl: string }): Page {
  const body = html`<section>
<h1>Done. Go back to your device</h1>
<p class="note good" role="status">${tickIcon()}<span>It is connected and goes on by itself in a few seconds.</span></p>
<p class="sub">You can close this window, and end the access at any time under <a href="${accountUrl}">Connected apps</a>.</p>
</section>`;
  return { title: 'Device connected', body };
}

/** The person denied it, or may not grant anything that the device asked for. */
export function deviceRefusedPage(): Page {
  const body = html`<section>
<h1>Nothing was connected</h1>
<p>The device gets no access and will say so. You can close this window.</p>
<p class="sub">If this was a mistake, start again on the device to get a new code.</p>
</section>`;
  return { title: 'Device not connected', body };
}
