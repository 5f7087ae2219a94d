using Microsoft.AspNetCore.Http;

namespace StickyWs.Pipeline;

/// <summary>What Kestrel does not write for a backend: content, or a <c>Content-Length</c>, where the status rules it out.</summary>
internal static class ContentRules
{
    /// <summary>
    /// Takes the length from an answer that must have none (RFC 9110 sections 8.6, 15.3.5 and 15.3.6). Backends send it all the same, and
    /// Kestrel would take it for a defect of the application.
    /// </summary>
    /// <returns>Whether the answer has no content to pass on.</returns>
    public static bool DropContent(HttpResponse response)
    {
        if (response.StatusCode is not (StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent)) return false;
        response.ContentLength = null;
        return true;
    }
}
