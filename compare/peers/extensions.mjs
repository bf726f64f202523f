// Completes relative imports without an extension, as bundlers do.

export const resolve = async (specifier, context, next) => {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!specifier.startsWith('.')) throw error;
    return next(`${specifier}.js`, context);
  }
};
