// A question before anything is done: the browser's own modal dialog, which keeps the focus and gives it back.

import { css, html, LitElement, nothing } from "lit";
import { property, query, state } from "lit/decorators.js";
import { errorText, type HomeAssistant } from "./hass.js";
import { localizer } from "./localize.js";
import { controls } from "./styles.js";

export interface Choice {
  value: string;
  label: string;
}

export interface Question {
  title: string;
  text: string;
  /** What the button says that does it. */
  confirm: string;
  /** Whether it cuts somebody off or lets somebody in. */
  danger?: boolean;
  /** What can be chosen, the first of them unless something else is. */
  choices?: readonly Choice[];
  /** Do it; what it throws is shown, and the question stays. */
  act: (choice: string) => Promise<unknown>;
}

/** Keys that press a button, again and again while they are held. */
const PRESSING: ReadonlySet<string> = new Set(["Enter", " "]);

export class HearthwallConfirm extends LitElement {
  /** How long nothing can be confirmed: the second click of a double one, or a key held down, is no answer. */
  static patienceMs = 500;

  @property({ attribute: false }) hass?: HomeAssistant | undefined;
  @state() private question: Question | undefined;
  @state() private choice = "";
  @state() private busy = false;
  @state() private ready = false;
  @state() private problem = "";
  @query("dialog") private dialog!: HTMLDialogElement;
  private answered: ((done: boolean) => void) | undefined;
  private waiting: ReturnType<typeof setTimeout> | undefined;

  /** Ask; return whether it was done. */
  async ask(question: Question): Promise<boolean> {
    this.answered?.(false);
    this.question = question;
    this.choice = question.choices?.[0]?.value ?? "";
    this.problem = "";
    this.busy = false;
    this.wait();
    await this.updateComplete;
    const answer = new Promise<boolean>((resolve) => (this.answered = resolve));
    if (!this.dialog.open) this.dialog.showModal();
    return answer;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.waiting);
  }

  private wait(): void {
    const { patienceMs } = HearthwallConfirm;
    clearTimeout(this.waiting);
    this.ready = patienceMs === 0;
    if (!this.ready) this.waiting = setTimeout(() => (this.ready = true), patienceMs);
  }

  protected override render() {
    const { question } = this;
    if (!question) return nothing;
    const t = localizer(this.hass);
    return html`
      <dialog
        aria-labelledby="title"
        aria-describedby="text"
        @close=${() => this.end(false)}
        @click=${(event: MouseEvent) => event.target === this.dialog && this.ready && this.end(false)}
        @keydown=${(event: KeyboardEvent) => event.repeat && PRESSING.has(event.key) && event.preventDefault()}
        @cancel=${(event: globalThis.Event) => this.busy && event.preventDefault()}
      >
        <form @submit=${this.onSubmit}>
          <h2 id="title">${question.title}</h2>
          <p id="text">${question.text}</p>
          ${question.choices
            ? html`<fieldset ?disabled=${this.busy}>
                ${question.choices.map(
                  ({ value, label }) => html`<label>
                    <input
                      type="radio"
                      name="choice"
                      .value=${value}
                      .checked=${value === this.choice}
                      @change=${() => (this.choice = value)}
                    /><span>${label}</span>
                  </label>`,
                )}
              </fieldset>`
            : nothing}
          <p class="problem" role="alert">${this.problem}</p>
          <div class="buttons">
            <button type="button" class="plain" ?disabled=${this.busy} autofocus @click=${() => this.end(false)}>
              ${t("common.cancel")}
            </button>
            <button
              type="submit"
              class=${question.danger ? "danger" : "main"}
              ?disabled=${this.busy || !this.ready}
            >
              ${this.busy ? t("common.busy") : question.confirm}
            </button>
          </div>
        </form>
      </dialog>
    `;
  }

  private readonly onSubmit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { question } = this;
    if (!question || this.busy || !this.ready) return;
    this.busy = true;
    this.problem = "";
    try {
      await question.act(this.choice);
      this.busy = false;
      if (this.question === question) this.end(true);
    } catch (error) {
      this.busy = false;
      this.problem = errorText(error);
    }
  };

  private end(done: boolean): void {
    if (this.busy || !this.answered) return;
    const { answered } = this;
    this.answered = undefined;
    if (this.dialog?.open) this.dialog.close();
    this.question = undefined;
    answered(done);
  }

  static override styles = [
    controls,
    css`
      dialog {
        box-sizing: border-box;
        width: min(420px, calc(100vw - 32px));
        max-height: calc(100vh - 32px);
        padding: 24px;
        border: none;
        border-radius: var(--ha-dialog-border-radius, 24px);
        background: var(--ha-dialog-surface-background, var(--card-background-color, #fff));
        color: var(--primary-text-color);
        box-shadow: 0 8px 32px rgb(0 0 0 / 40%);
        overflow-wrap: anywhere;
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 50%);
      }
      h2 {
        margin: 0 0 12px;
        font-size: 20px;
        font-weight: 500;
        line-height: 28px;
      }
      p {
        margin: 0 0 12px;
        color: var(--secondary-text-color);
        line-height: 20px;
      }
      .problem {
        color: var(--error-color);
      }
      .problem:empty {
        display: none;
      }
      fieldset {
        margin: 0 0 8px;
        padding: 0;
        border: none;
      }
      label {
        display: flex;
        align-items: center;
        gap: 12px;
        min-height: 40px;
        cursor: pointer;
      }
      input {
        width: 20px;
        height: 20px;
        margin: 0;
        accent-color: var(--primary-color);
      }
      .buttons {
        display: flex;
        justify-content: flex-end;
        flex-wrap: wrap;
        gap: 8px;
        margin-top: 12px;
      }
    `,
  ];
}
