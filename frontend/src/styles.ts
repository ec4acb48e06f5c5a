// What all cards share in looks: Home Assistant's variables only, so that each theme fits.

import { css } from "lit";

export const controls = css`
  button {
    min-height: 40px;
    padding: 0 16px;
    border: none;
    border-radius: var(--ha-button-border-radius, 20px);
    font: inherit;
    font-weight: 500;
    cursor: pointer;
    background: none;
    color: inherit;
  }
  button.main,
  button.danger {
    --hearthwall-fill: var(--primary-color, #009ac7);
    background: color-mix(in srgb, var(--hearthwall-fill) 70%, #000);
    color: #fff;
  }
  button.danger {
    --hearthwall-fill: var(--error-color, #db4437);
  }
  /* The theme's colour, and as dark as white letters on it need */
  @supports (color: oklch(from red l c h)) {
    button.main,
    button.danger {
      background: oklch(from var(--hearthwall-fill) min(l, 0.52) c h);
    }
  }
  button.plain,
  button.quiet {
    color: var(--primary-text-color);
    background: color-mix(in srgb, var(--primary-text-color) 8%, transparent);
  }
  button.quiet {
    min-height: 32px;
    padding: 0 12px;
    font-size: 13px;
  }
  button:hover:not(:disabled) {
    filter: brightness(1.08);
  }
  button:disabled {
    cursor: default;
    opacity: 0.6;
  }
  :focus-visible {
    outline: 2px solid var(--primary-color);
    outline-offset: 2px;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      animation: none !important;
      transition: none !important;
    }
  }
`;

export const card = css`
  :host {
    display: block;
    --hearthwall-download: var(--hearthwall-download-color, var(--blue-color, #2196f3));
    --hearthwall-upload: var(--hearthwall-upload-color, var(--purple-color, #926bc7));
    --hearthwall-line: var(--divider-color, rgb(127 127 127 / 30%));
  }
  ha-card {
    display: flex;
    flex-direction: column;
    height: 100%;
    overflow: hidden;
    color: var(--primary-text-color);
  }
  .card-title {
    flex: none;
    margin: 0;
    padding: 16px 16px 8px;
    font-size: var(--ha-card-header-font-size, 20px);
    font-weight: 400;
    line-height: 28px;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .down {
    color: color-mix(in srgb, var(--hearthwall-download) 55%, var(--primary-text-color));
  }
  .up {
    color: color-mix(in srgb, var(--hearthwall-upload) 70%, var(--primary-text-color));
  }
  .secondary {
    color: var(--secondary-text-color);
    font-size: 12px;
    line-height: 16px;
  }
  .cut {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .message {
    padding: 32px 24px;
    text-align: center;
    color: var(--secondary-text-color);
    line-height: 20px;
  }
  .notice {
    margin: 0 16px 8px;
    padding: 8px 12px;
    border-radius: 8px;
    line-height: 20px;
    background: color-mix(in srgb, var(--warning-color, #ffa600) 18%, transparent);
  }
  .message a,
  .notice a {
    color: inherit;
    font-weight: 500;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;
