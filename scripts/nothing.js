// Replaces a package that is set up but never used.
export default function nothing() {}
