using Microsoft.AspNetCore.Http;

namespace StickyWs.Pipeline;

/// <summary>Content that Kestrel refuses to write: a body or a <c>Content-Length</c> where the status rules it out.</summary>
internal static class ContentRules
{
    /// <summary>
    /// Removes the length from a response that must not have one (RFC 9110 sections 8.6, 15.3.5 and 15.3.6). Some backends send it, and Kestrel would
    /// treat it as a defect of the application.
    /// </summary>
    /// <returns>Whether there is no content to pass on.</returns>
    public static bool DropContent(HttpResponse response)
    {
        if (response.StatusCode is not (StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent)) return false;
        response.ContentLength = null;
        return true;
    }
}
