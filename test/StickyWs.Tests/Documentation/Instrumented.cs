namespace StickyWs.Tests.Documentation;

/// <param name="Name">The instrument.</param>
/// <param name="Kind">Its kind, in the words of OpenTelemetry.</param>
/// <param name="Unit">Its unit, as of UCUM.</param>
/// <param name="Tags">The tags that it ever has, in order, with commas.</param>
internal sealed record Instrumented(string Name, string Kind, string Unit, string Tags);
