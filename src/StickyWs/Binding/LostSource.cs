using Microsoft.Extensions.Configuration;

namespace StickyWs.Binding;

/// <summary>A configuration source that no longer provides anything.</summary>
/// <param name="Provider">The source.</param>
/// <param name="Error">What is wrong with it, and what to do.</param>
internal sealed record LostSource(IConfigurationProvider Provider, string Error);
