using Microsoft.Extensions.Configuration;

namespace StickyWs.Binding;

/// <summary>A source of the configuration that gives nothing any more.</summary>
/// <param name="Provider">Which.</param>
/// <param name="Error">What is wrong with it, and what to do.</param>
internal sealed record LostSource(IConfigurationProvider Provider, string Error);
