// How the flow map looks.

import { css } from "lit";

export const flowMapStyles = css`
  :host {
    container-type: inline-size;
  }
  .head {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    padding-right: 12px;
  }
  .head .card-title {
    flex: 1 1 120px;
    padding-bottom: 12px;
  }
  .tools {
    display: flex;
    align-items: center;
    gap: 8px;
    margin-left: auto;
    padding: 8px 0;
  }
  .periods {
    display: flex;
    border-radius: 18px;
    background: color-mix(in srgb, var(--primary-text-color) 6%, transparent);
  }
  .periods button,
  .icon {
    min-height: 36px;
    padding: 0 12px;
    border: none;
    border-radius: 18px;
    font: inherit;
    font-size: 13px;
    cursor: pointer;
    background: none;
    color: var(--secondary-text-color);
  }
  .periods button[aria-pressed="true"] {
    background: color-mix(in srgb, var(--primary-color) 20%, transparent);
    color: var(--primary-text-color);
    font-weight: 500;
  }
  .icon {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    width: 36px;
    padding: 0;
  }
  .icon svg {
    width: 20px;
    height: 20px;
    fill: currentColor;
  }
  button:hover {
    color: var(--primary-text-color);
  }
  :focus-visible {
    outline: 2px solid var(--primary-color);
    outline-offset: 1px;
  }
  .frame {
    margin: 0 16px 16px;
    min-height: 120px;
  }
  .columns {
    display: grid;
    grid-template-columns: var(--middle) minmax(0, 1fr) minmax(0, 1fr);
    column-gap: 8px;
    align-items: center;
    min-height: 36px;
    margin-bottom: 4px;
    color: var(--secondary-text-color);
    font-size: 13px;
    font-weight: 500;
  }
  select.column {
    min-width: 0;
    min-height: 32px;
    max-width: 100%;
    padding: 0 4px;
    border: none;
    border-radius: 8px;
    font: inherit;
    cursor: pointer;
    color: inherit;
    background: color-mix(in srgb, var(--primary-text-color) 6%, transparent);
    text-overflow: ellipsis;
  }
  select option {
    color: var(--primary-text-color);
    background: var(--card-background-color, #fff);
  }
  .middle.column {
    justify-self: start;
  }
  .end.column {
    justify-self: end;
  }
  .map {
    position: relative;
  }
  .map svg {
    position: absolute;
    inset: 0;
    color: var(--disabled-text-color, #9e9e9e);
    overflow: visible;
  }
  .source {
    opacity: 0.5;
  }
  .stream {
    fill: none;
    cursor: pointer;
    transition:
      d 0.6s ease,
      stroke-width 0.6s ease,
      stroke-opacity 0.2s ease;
  }
  .stream.faded {
    stroke-opacity: 0.14;
  }
  .singled .source {
    opacity: 0.7;
  }
  .bar {
    cursor: pointer;
    transition:
      y 0.6s ease,
      height 0.6s ease,
      opacity 0.2s ease;
  }
  .bar.faded {
    opacity: 0.3;
  }
  .label {
    position: absolute;
    top: 0;
    left: 0;
    display: flex;
    align-items: center;
    gap: 6px;
    margin: 0;
    padding: 0 4px;
    border: none;
    border-radius: 6px;
    font: inherit;
    font-size: 13px;
    line-height: 20px;
    white-space: nowrap;
    cursor: pointer;
    color: var(--primary-text-color);
    background: color-mix(in srgb, var(--card-background-color, #fff) 72%, transparent);
    transition:
      transform 0.6s ease,
      opacity 0.2s ease;
  }
  .label:not(.known) .name {
    color: var(--secondary-text-color);
    font-style: italic;
  }
  .label[aria-pressed="true"] {
    background: color-mix(in srgb, var(--primary-color) 24%, var(--card-background-color, #fff));
  }
  .label.faded {
    opacity: 0.4;
  }
  .name {
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .amount {
    flex: none;
    color: var(--secondary-text-color);
    font-size: 12px;
  }
  .caption {
    display: flex;
    flex-wrap: wrap;
    align-content: start;
    gap: 0 8px;
    min-height: 32px;
    margin: 12px 0 0;
    overflow-wrap: anywhere;
  }
  .hint {
    opacity: 0.85;
  }
  .scroll {
    max-height: 480px;
    overflow: auto;
  }
  table {
    width: 100%;
    border-collapse: collapse;
    font-size: 13px;
  }
  th,
  td {
    max-width: 180px;
    padding: 8px 8px 8px 0;
    overflow: hidden;
    text-align: start;
    text-overflow: ellipsis;
    white-space: nowrap;
    border-bottom: 1px solid var(--divider-color);
  }
  th {
    position: sticky;
    top: 0;
    color: var(--secondary-text-color);
    font-weight: 500;
    background: var(--card-background-color, #fff);
  }
  tfoot :is(th, td) {
    position: sticky;
    bottom: 0;
    font-weight: 500;
    color: var(--primary-text-color);
    background: var(--card-background-color, #fff);
    border-bottom: none;
  }
  .number {
    padding-inline: 12px 0;
    text-align: end;
  }
  @container (max-width: 480px) {
    th,
    td {
      max-width: 96px;
      font-size: 12px;
    }
    .head {
      padding: 0 16px;
    }
    .head .card-title {
      padding: 16px 0 0;
      flex-basis: 100%;
    }
    .tools {
      flex: 1;
      justify-content: space-between;
      margin-left: 0;
    }
    .periods button {
      padding: 0 9px;
      font-size: 12px;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      transition: none !important;
    }
  }
`;
