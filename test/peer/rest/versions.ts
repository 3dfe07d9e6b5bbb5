/** The versions at which answers change their form. */
export const versions = ['3.0', '3.8', '3.13', '3.27', '3.44', '3.48', '3.53', '3.61', '3.65', '3.66', '3.67', '3.70'];
