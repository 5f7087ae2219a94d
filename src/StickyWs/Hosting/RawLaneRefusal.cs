using Microsoft.Extensions.Options;
using StickyWs.Binding;
using StickyWs.Configuration;

namespace StickyWs.Hosting;

/// <summary>If the application has its own transport, the raw lane cannot be required.</summary>
internal sealed class RawLaneRefusal(OptionsRoot? root = null) : IValidateOptions<StickyWsOptions>
{
    public ValidateOptionsResult Validate(string? name, StickyWsOptions options)
        => options.Transport.RawLane != RawLaneMode.On
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(OptionsError.Of(
                $"{root?.Path ?? StickyWsOptions.SectionName}:Transport:RawLane", nameof(RawLaneMode.On),
                "use Auto or Off, because the application has its own IConnectionListenerFactory"));
}
