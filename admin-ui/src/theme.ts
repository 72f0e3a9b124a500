import {
  createTheme,
  Drawer,
  defaultVariantColorsResolver,
  Menu,
  Modal,
  Notification,
  Tooltip,
} from '@mantine/core';

/**
 * Behaviour of Mantine's parts; their colours stand in styles/theme.css. Nothing here may make Mantine
 * inject a <style>, which the content security policy refuses: scroll locking would.
 */
export const theme = createTheme({
  respectReducedMotion: true,
  cursorType: 'pointer',
  // Text on filled colours is dark in the dark scheme, where these colours are light.
  variantColorResolver: (input) => {
    const colours = defaultVariantColorsResolver(input);
    return input.variant === 'filled' ? { ...colours, color: 'var(--accent-text)' } : colours;
  },
  components: {
    Modal: Modal.extend({
      defaultProps: {
        lockScroll: false,
        centered: true,
        closeButtonProps: { 'aria-label': 'Close' },
      },
    }),
    Drawer: Drawer.extend({
      defaultProps: {
        lockScroll: false,
        position: 'right',
        closeButtonProps: { 'aria-label': 'Close' },
      },
    }),
    // In its place in the page, so that it is inside of a landmark and holds nothing but its items.
    Menu: Menu.extend({
      defaultProps: {
        withinPortal: false,
        withInitialFocusPlaceholder: false,
        floatingStrategy: 'fixed',
      },
    }),
    Notification: Notification.extend({
      defaultProps: { closeButtonProps: { 'aria-label': 'Close' } },
    }),
    Tooltip: Tooltip.extend({
      defaultProps: {
        withArrow: true,
        openDelay: 300,
        events: { hover: true, focus: true, touch: true },
      },
    }),
  },
});
