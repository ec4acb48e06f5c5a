// How the timeline looks.

import { css } from "lit";

export const eventsStyles = css`
  :host {
    height: 100%;
  }
  .filters {
    display: flex;
    flex: none;
    flex-wrap: wrap;
    gap: 8px;
    padding: 0 16px 8px;
  }
  select {
    flex: 1 1 120px;
    min-width: 0;
    max-width: 260px;
    min-height: 36px;
    padding: 0 8px;
    border: none;
    border-radius: 18px;
    font: inherit;
    font-size: 13px;
    text-overflow: ellipsis;
    cursor: pointer;
    color: var(--primary-text-color);
    background: color-mix(in srgb, var(--primary-text-color) 6%, transparent);
  }
  option {
    color: var(--primary-text-color);
    background: var(--card-background-color, #fff);
  }
  .news {
    display: flex;
    justify-content: center;
    padding: 0 16px;
  }
  .news button {
    min-height: 36px;
    margin-bottom: 8px;
    font-size: 13px;
  }
  .list {
    flex: 1 1 auto;
    min-height: 0;
    max-height: var(--hearthwall-events-height, max(480px, calc(100vh - 200px)));
    padding: 0 8px 12px;
    overflow: hidden auto;
    overflow-anchor: auto;
  }
  h3 {
    position: sticky;
    top: 0;
    z-index: 1;
    margin: 0;
    padding: 8px;
    font-size: 13px;
    font-weight: 500;
    color: var(--secondary-text-color);
    background: var(--ha-card-background, var(--card-background-color, #fff));
  }
  .message p {
    margin: 12px 0 0;
  }
  .calm svg {
    width: 48px;
    height: 48px;
    margin: 0 auto;
    color: var(--success-color, #43a047);
  }
  .older {
    display: block;
    margin: 8px auto 0;
  }
`;
